// The tables of the ledger: schema `evidence` of ticket_db on PostgreSQL, where the worker's user
// may add records and not change them; a file of its own otherwise.
#pragma once
#include "libs/sql/migrations.hpp"

namespace urr::worker {

inline constexpr std::string_view ledger_schema = "evidence";
// Those whose rows are added and never changed.
inline constexpr std::string_view append_only_tables[] = {"records"};

extern const Migration migrations[1];

} // namespace urr::worker
