// How queue speaks to the waiting room: a report each second, and what the room answers. With every
// report goes what was last seen of the room, so that one whose store was lost goes on behind the
// numbers that are about.
#pragma once
#include "libs/contract/caller.hpp"
#include "libs/core/clock.hpp"
#include "services/queue/store/halls.hpp"

namespace urr::queue {

struct RoomReport {
    std::uint64_t epoch = 0, sequence = 0;
    std::string_view state; // off, prequeue, open, paused
    std::int64_t rate_per_minute = 0;
    bool sold_out = false;
};

class RoomClient {
public:
    RoomClient(Transport& room, CallerKey key, const Clock& clock)
        : room_(room), key_(std::move(key)), clock_(clock) {}

    // REPORT_STALE when the room has a newer one; what the transport says.
    Task<Result<RoomSeen>> report(Context context, EventId event, RoomReport report, RoomSeen seen);
    // NOT_FOUND where the room does not exist (yet).
    Task<Result<RoomSeen>> status(Context context, EventId event);

private:
    Transport& room_;
    const CallerKey key_;
    const Clock& clock_;
};

} // namespace urr::queue
