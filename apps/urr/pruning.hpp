// Forgets what has served its time, everywhere, in one job, a bounded piece at a time:
//
//     answers kept by idempotency key     24 hours (each row says when)
//     delivered events                    URR_EVENTS_KEPT_HOURS, and while a group needs them
//     the memory of events taken (inbox)  a day longer than the events, so that none is taken twice
//     revoked entry tokens                until the token would have expired
#pragma once
#include <vector>

#include "libs/contract/revoked_entries.hpp"
#include "libs/messaging/message.hpp"
#include "libs/sql/database.hpp"
#include "libs/telemetry/log.hpp"

namespace urr::app {

struct Pruned {
    std::vector<std::pair<std::string_view, Database*>> stores; // with the shared tables
    EventLog& events;
    RevokedEntries& revoked;
    const Clock& clock;
    Log& log;
    Duration events_kept;
};

// One round. What fails is logged and left for the next.
Task<> prune(Pruned& what);
// A round every minute until destroyed.
Task<> keep_pruned(Pruned& what);

} // namespace urr::app
