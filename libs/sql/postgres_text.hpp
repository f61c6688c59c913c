// What differs between the two databases in text: parameters of statements (?1 there, $1 here) and
// the words of the tables' definitions.
//
// A migration is written once, in what both share, with SQLite's words where they differ:
//     BLOB → BYTEA                      INTEGER → BIGINT
//     INTEGER PRIMARY KEY AUTOINCREMENT → BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY
//     WITHOUT ROWID → nothing
// Words are translated outside of quotes and comments, and only when written in capitals.
#pragma once
#include <string>
#include <string_view>

#include "libs/sql/database.hpp"

namespace urr {

std::string postgres_statement(const Statement& statement);
std::string postgres_schema(std::string_view script);

} // namespace urr
