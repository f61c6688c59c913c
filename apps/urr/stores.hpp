// The embedded stores of an installation: a SQLite file per service in the data folder.
//
//     Stores stores = TRY_PLAIN(Stores::open(folder, clock, roles, Schema::as_it_is));
//
// Each file is open in one process at a time.
#pragma once
#include <memory>
#include <string>

#include "apps/urr/roles.hpp"
#include "libs/sql/migrations.hpp"

namespace urr::app {

// migrated: what is missing is applied. as_it_is: an older schema is refused, a newer one accepted.
enum class Schema { migrated, as_it_is };

struct Stores {
    std::unique_ptr<SqliteDatabase> auth, ticket, payment, acquirer, queue, waiting_room, events;

    struct File {
        std::string_view name;  // of the file, without its end
        std::string_view label; // in figures
        std::unique_ptr<SqliteDatabase> Stores::* store;
        std::span<const Migration> migrations;
        bool (*needed)(const Roles&);
    };
    static const std::vector<File>& files();

    // Those that the roles need. UNAVAILABLE with the file's name and what to do.
    static Result<Stores> open(const std::string& folder, const Clock& clock,
                               const Roles& roles = {}, Schema schema = Schema::migrated);
};

} // namespace urr::app
