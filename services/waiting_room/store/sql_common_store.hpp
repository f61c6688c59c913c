// Rooms that several processes share, in one database.
#pragma once
#include "libs/sql/database.hpp"
#include "services/waiting_room/store/common_store.hpp"

namespace urr::waiting_room {

std::unique_ptr<CommonStore> make_sql_common_store(Database& database);

// The tables, for `urr migrate`.
extern const char* const common_room_tables;

} // namespace urr::waiting_room
