// The store's time over PostgreSQL: the server's clock, whose distance from this process's steady
// clock is sampled each second, so that the wall clocks of the machines do not matter.
//
// It never runs backwards in a process: when the server's clock is set back, time stands until that
// has caught up. A distance that jumps by more than half a second is not believed until a second
// sample agrees. One loop.
#pragma once
#include <deque>
#include <optional>

#include "libs/core/instant.hpp"

namespace urr {

class ServerTime {
public:
    static constexpr Duration sampled_each = seconds(1);
    static constexpr Duration repeated_after = milliseconds(100); // a jump is looked at again
    static constexpr Duration jump = milliseconds(500);
    // A slow answer says less: it counts only when there was no quick one for a while.
    static constexpr Duration quick = milliseconds(100), slow_max = milliseconds(1500);
    static constexpr Duration quick_for = seconds(3), trusted_for = seconds(6);

    // The server said `server` at some moment between the two steady times.
    void sampled(Instant asked, Instant answered, Instant server);
    // Nothing while selling has to stop.
    std::optional<Instant> now(Instant steady);
    // For reads: the best that is known.
    Instant look(Instant steady);
    bool agreed() const { return agreed_; }
    bool known() const { return known_; }
    std::uint64_t jumps() const { return jumps_; }
    bool was_set_back() const { return set_back_; }

    // Where the primary's log stood at a time, and back: how fresh is a replica that has come to
    // `position`?
    void primary_was_at(Instant steady, std::int64_t position);
    Instant fresh_as_of(std::int64_t position) const;

private:
    static constexpr std::size_t positions_kept = 64;
    struct Position {
        Instant at;
        std::int64_t position;
    };
    bool known_ = false, agreed_ = false, set_back_ = false;
    Duration distance_;
    Instant sampled_at_, last_;
    std::uint64_t jumps_ = 0;
    std::deque<Position> positions_;
};

} // namespace urr
