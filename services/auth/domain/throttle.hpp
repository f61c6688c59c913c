// How often something may be tried: a burst at once, then one more for each refill. Pure.
//
//     if (const Duration wait = throttle.wait(key, now); wait.us > 0) ... refuse, say when again
//     throttle.count(key, now);
//     ... tried; it was right, or was not tried after all:
//     throttle.give_back(key);
//
// Memory is fixed: two rows of cells, and a key counts in one of each (a count-min sketch of leaky
// buckets). Keys that share both cells wait for each other, so it errs towards refusing and nobody
// gets free tries by crowding somebody else out. Keys are keyed codes: nobody can choose their
// cells. To fill the cells takes more failures a second than the password pool can compute.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "libs/core/instant.hpp"
#include "libs/security/mac.hpp"

namespace urr::auth {

struct ThrottleRule {
    std::int64_t burst = 10;
    Duration refill = minutes(1);
};

class Throttle {
public:
    explicit Throttle(ThrottleRule rule, std::size_t cells_per_row = 1 << 15);

    // Zero: it may be tried now.
    Duration wait(const ShortCode& key, Instant now) const;
    void count(const ShortCode& key, Instant now);
    void give_back(const ShortCode& key);

private:
    std::array<std::size_t, 2> cells_of(const ShortCode& key) const;

    const ThrottleRule rule_;
    const std::size_t row_;
    std::vector<std::int64_t> empty_us_; // when a cell has drained
};

} // namespace urr::auth
