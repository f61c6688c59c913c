// Holds of many at once, for engines that take arrays: lock the rows, decide by a pure function,
// write them all. A batch costs two exchanges however many holds it has: its commit travels with
// the writes.
//
// Rows are locked in this order: seats (those free or expired only, by event and number), then
// accounts. Seats that are not free are not locked, so losers cost no write; only whoever has held
// a seat of the event before has his count locked. Two batches that want the same seats meet at the
// first of them; the second looks for keys after it has waited, so one request sent twice finds its
// first answer instead of its own hold.
#pragma once
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

// One outcome for each order, in their order; the errors of hold_seats. The whole batch answers
// CONFLICT when another process made the account's row or took a key in between: hold each by
// itself then.
using HoldOutcomes = std::vector<Result<Held>>;
Task<Result<HoldOutcomes>> hold_many(Tx& tx, const std::vector<HoldOrder>& orders);

} // namespace urr::ticket
