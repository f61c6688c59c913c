// The relay: carries what stands in a service's outbox to the event log, in order per key, and
// deletes it there. It reads whatever is unsent (no watermark), so a crash between the two steps
// sends a batch twice; consumers take it once.
#pragma once
#include "libs/messaging/message.hpp"
#include "libs/sql/database.hpp"

namespace urr {

// Runs until its task is destroyed. One relay per outbox.
Task<> run_relay(Database& from, EventLog& to, Duration poll = milliseconds(10));

// One round: how many were carried.
Task<Result<std::size_t>> relay_once(Database& from, EventLog& to);

} // namespace urr
