// The stores of an installation: a SQLite file per service in the data folder, or a PostgreSQL
// database per service (URR_DATABASE).
//
//     Stores stores = TRY_PLAIN(Stores::open({settings, clock, random, loop}, roles));
//
// Each file is open in one process at a time; databases are shared.
#pragma once
#include <memory>
#include <string>

#include "apps/urr/roles.hpp"
#include "libs/core/random.hpp"
#include "libs/core/settings.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/telemetry/log.hpp"

namespace urr::app {

// migrated: what is missing is applied. as_it_is: an older schema is refused, a newer one accepted.
enum class Schema { migrated, as_it_is };

// What opening takes. PostgreSQL's work is done at the loop, which outlives the stores.
struct StoreParts {
    const Settings& settings;
    const Clock& clock;
    Random& random;
    RunLoop& loop;
    Log* log = nullptr; // told when a server goes away and comes back, and of mistakes of works
};

struct Stores {
    std::unique_ptr<Database> auth, ticket, payment, acquirer, queue, waiting_room, events;
    std::unique_ptr<Database> evidence, works; // the ledger; what is on its way to it
    std::unique_ptr<Database> catalog_views;   // PostgreSQL: ticket's, as catalog's own user

    // What catalog reads.
    Database& for_catalog() const { return catalog_views ? *catalog_views : *ticket; }

    struct File {
        std::string_view name;  // of the file, without its end
        std::string_view label; // in figures
        std::unique_ptr<Database> Stores::* store;
        std::span<const Migration> migrations;
        bool (*needed)(const Roles&);
        std::string_view setting; // of its URL, without its end
        std::string_view schema = "public";
        std::span<const std::string_view> append_only = {}; // tables whose rows are only added
    };
    static const std::vector<File>& files();

    // Those that the roles need. UNAVAILABLE with the file's or the setting's name and what to do.
    static Result<Stores> open(const StoreParts& parts, const Roles& roles = {},
                               Schema schema = Schema::migrated);
    // Of embedded ones alone.
    static Result<Stores> open(const std::string& folder, const Clock& clock,
                               const Roles& roles = {}, Schema schema = Schema::migrated,
                               Log* log = nullptr);
};

bool on_postgres(const Settings& settings);
bool stands_on_postgres(const Settings& settings, const Stores::File& file);
// `urr migrate` and `urr doctor` on PostgreSQL, for one store.
Result<> migrate_on_postgres(const Settings& settings, const Stores::File& file);
Result<> check_on_postgres(const Settings& settings, const Stores::File& file);
// The same of the views that catalog sees of ticket's.
Result<> check_catalog_on_postgres(const Settings& settings);

} // namespace urr::app
