// Forgets the lines of sales that are long over, and old acts of administrators: as a job of
// queue's, in pieces that no request waits for.
//
// A line goes when its event's sale is over and nothing has happened in it for `quiet`: until then
// a sale may be prolonged, or seats may come back, and everybody still has his place. What catalog
// does not tell of stays. A failure is logged and left for the next round. One loop.
#pragma once
#include "libs/telemetry/log.hpp"
#include "services/queue/hall.hpp"

namespace urr::queue {

struct Forgetting {
    Database& database;
    const Events& events;
    const Clock& clock;
    Log& log;
    Duration quiet = hours(24 * 30);
    Duration acts_kept = hours(24 * 400); // more than a year
};

// One round.
Task<> forget(Forgetting& what);
// A round each ten minutes until destroyed.
Task<> keep_forgetting(Forgetting& what);

} // namespace urr::queue
