// Schema changes and rights on PostgreSQL: `urr migrate`, and the check before serving. These calls
// block: they belong before the loop runs.
//
//     TRY_PLAIN(migrate_postgres(owner_url, migrations, {.writer = "ticket", .viewer =
//     "catalog"}));
//
// `schema` is made where it is missing; what is not `public` is reached by its name in statements.
// Two that run at once wait for one another (a lock of the transaction, not of the session, so that
// it holds through a pooler too).
#pragma once
#include <string>

#include "libs/sql/migrations.hpp"

namespace urr {

// Who may use the tables besides their owner; empty: nobody, or the owner himself.
struct StoreUsers {
    std::string writer; // the service: rows of all tables, the schema of none
    std::string viewer; // another service: views named `views`…, and nothing else
    std::string views = "catalog_";
    std::span<const std::string_view> append_only = {}; // the writer may add rows to them only
};

// Applies what is missing and gives the users their rights. UNAVAILABLE with a text that names the
// migration.
Result<> migrate_postgres(const std::string& owner_url, std::span<const Migration> migrations,
                          const StoreUsers& users, std::string_view schema = "public");
// As check_schema.
Result<> check_postgres_schema(const std::string& url, std::span<const Migration> migrations,
                               std::string_view schema = "public");
// A viewer may see the views only: is `view` there?
Result<> check_postgres_view(const std::string& url, const std::string& view);
// One statement without parameters, and all its rows.
Result<Rows> ask_postgres(const std::string& url, const Statement& statement);
// A script as it is, for tests and benchmarks.
Result<> run_postgres_script(const std::string& url, const std::string& sql);

} // namespace urr
