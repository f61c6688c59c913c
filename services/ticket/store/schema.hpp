// The tables of ticket_db.
#pragma once
#include "libs/sql/migrations.hpp"

namespace urr::ticket {

extern const Migration migrations[4];

} // namespace urr::ticket
