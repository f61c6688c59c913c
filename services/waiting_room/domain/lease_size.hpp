// How many positions to lease for the next second: what the last ones used, with headroom, doubled
// each time a lease is used up before its second is over. Small leases leave few voids, and few
// unknown places after a crash; large ones are asked for rarely. Pure.
#pragma once
#include <algorithm>
#include <cstdint>

namespace urr::waiting_room {

inline constexpr std::uint64_t lease_count_min = 32;
inline constexpr std::uint64_t lease_count_max = 1'000'000;
inline constexpr std::int64_t lease_life_us = 1'000'000;

class LeaseSize {
public:
    // A lease ended after `age_us`, having used `used` of `count`.
    void ended(std::uint64_t count, std::uint64_t used, std::int64_t age_us) {
        if (used >= count && age_us < lease_life_us)
            wanted_ = count * 2;
        else
            wanted_ = used + used / 2;
        wanted_ = std::clamp(wanted_, lease_count_min, lease_count_max);
    }
    std::uint64_t next() const { return wanted_; }

private:
    std::uint64_t wanted_ = lease_count_min;
};

} // namespace urr::waiting_room
