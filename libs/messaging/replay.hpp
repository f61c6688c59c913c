// Gives what a group has parked to its consumer again, in order per key. A key whose first message
// is refused again stays parked; the others go on.
#pragma once
#include <set>

#include "libs/messaging/chains.hpp"
#include "libs/sql/database.hpp"

namespace urr {

// `fetch(tx, group, after)` gives some of the parked messages, in order of their position;
// `unpark(tx, group, logged)` takes one out. How many were taken.
template <class Fetch, class Unpark>
Task<Result<std::int64_t>> replay_parked(Context context, Database& database, std::string group,
                                         Consumer& consumer, Fetch fetch, Unpark unpark) {
    std::int64_t count = 0, position = 0;
    std::set<std::pair<std::string, IdBytes>> refused; // topic and key
    for (;;) {
        const auto messages = TRY(co_await database.read(context, fetch, group, position));
        if (messages.empty()) co_return count;
        for (const Logged& logged : messages) {
            position = logged.position;
            const std::pair key{logged.message.topic, logged.message.key};
            if (refused.contains(key)) continue;
            if (!co_await consumer.consume(context, logged.message)) {
                refused.insert(key);
                continue;
            }
            // Another replay may have had it.
            count += TRY(co_await database.transact(context, unpark, group, logged));
        }
    }
}

} // namespace urr
