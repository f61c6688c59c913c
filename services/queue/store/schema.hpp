// The tables of queue: lines, halls (what an organizer set, what is known of the room), what was
// done by hand, and entries that ended before their time.
#pragma once
#include "libs/sql/migrations.hpp"

namespace urr::queue {

extern const Migration migrations[5];

} // namespace urr::queue
