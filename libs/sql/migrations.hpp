// Schema changes of a service: numbered scripts, each applied once and in order, each in one
// transaction. They expand first and contract later, so that old and new code share the tables.
// Both databases take the same script (postgres_text.hpp says how).
//
//     constexpr Migration migrations[] = {{1, "first tables", sql_text}, ...};
//     TRY_PLAIN(migrate(*database, migrations));         // `urr migrate`
//
// A change that older programs cannot live with says so in `needs`: the version that a program must
// know at least. They refuse the store then, when they start.
#pragma once
#include <span>

#include "libs/sql/sqlite_database.hpp"

namespace urr {

struct Migration {
    int version;
    const char* name;
    const char* sql;
    const char* postgres_too = nullptr; // run behind it there: storage, not meaning
    int needs = 0;
};

// The tables that every service shares in kind: outbox, inbox, leases, idempotency keys.
extern const char* const shared_tables;

// Applies what is missing. A store with later versions is accepted, unless they refuse us.
Result<> migrate(SqliteDatabase& database, std::span<const Migration> migrations);
// Before serving: a store that lacks a migration, or that has one which refuses this program, is
// refused with a text that says what to do.
Result<> check_schema(SqliteDatabase& database, std::span<const Migration> migrations);
// The rule behind both.
struct SchemaState {
    std::int64_t version = 0, needs = 0;
};
Result<> judge_schema(SchemaState there, std::span<const Migration> migrations);

} // namespace urr
