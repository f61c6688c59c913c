// Schema changes of a service: numbered scripts, each applied once and in order, each in one
// transaction. They expand first and contract later, so that old and new code share the tables.
//
//     constexpr Migration migrations[] = {{1, "first tables", sql_text}, ...};
//     TRY_PLAIN(migrate(*database, migrations));         // `urr migrate`
#pragma once
#include <span>

#include "libs/sql/sqlite_database.hpp"

namespace urr {

struct Migration {
    int version;
    const char* name;
    const char* sql;
};

// The tables that every service shares in kind: outbox, inbox, leases, idempotency keys.
extern const char* const shared_tables;

// Applies what is missing. A store with later versions is accepted: schemas only expand.
Result<> migrate(SqliteDatabase& database, std::span<const Migration> migrations);
// Before serving: a store that lacks a migration is refused with a text that says what to do.
Result<> check_schema(SqliteDatabase& database, std::span<const Migration> migrations);

} // namespace urr
