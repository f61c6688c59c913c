// The wall clock of a simulated machine: the world's time from a fixed date on, and what somebody
// has turned it by.
#pragma once
#include <algorithm>

#include "libs/async/sim_loop.hpp"
#include "libs/core/clock.hpp"

namespace urr::sim {

class WallClock final : public Clock {
public:
    // 2027-01-15: before it no token of the simulation was issued.
    static constexpr Instant start{1'800'000'000'000'000};

    explicit WallClock(const SimWorld& world) : world_(world) {}
    Instant now() const override { return {start.us + world_.now().us + turned_by_.us}; }
    void turn(Duration by) {
        latest_ = latest();
        turned_by_ = turned_by_ + by;
        furthest_by_ = std::max(furthest_by_, turned_by_);
    }
    // The latest that it ever showed.
    Instant latest() const { return std::max(latest_, now()); }
    Instant steady() const override { return world_.now(); }
    // Where a time stands that goes along forwards and not back: no store's may be beyond.
    Instant furthest() const { return {start.us + world_.now().us + furthest_by_.us}; }

private:
    const SimWorld& world_;
    Duration turned_by_{}, furthest_by_{};
    Instant latest_{};
};

} // namespace urr::sim
