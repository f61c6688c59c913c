// Forgets what no line needs any more, a bounded piece at a time. Works for `transact`.
#pragma once
#include <vector>

#include "libs/contract/queue_events.hpp"
#include "libs/sql/database.hpp"

namespace urr::queue {

// The events that have members or spent tokens.
Task<Result<std::vector<EventId>>> lines_kept(Tx& tx);
// True: nobody has joined, was let in or had a slot in that line since then.
Task<Result<bool>> was_quiet_since(Tx& tx, EventId event, Instant since);
// Members and spent tokens of a line, at most so many of each; how many have gone. Its hall stays:
// levers and epoch hold, should the sale go on.
Task<Result<std::int64_t>> prune_line(Tx& tx, EventId event, std::int64_t most);
// What administrators did before then.
Task<Result<std::int64_t>> prune_acts(Tx& tx, Instant before, std::int64_t most);

} // namespace urr::queue
