// Rate limits over a sliding window of 60 s: two fixed windows, the older one weighed by what is
// left of it in the sliding one. At most twice the limit passes around a window's edge in theory,
// and the limit over any minute in the steady state. One loop.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libs/core/instant.hpp"

namespace urr::gateway {

struct LimitState {
    bool allowed = true;
    std::int64_t limit = 0, remaining = 0, reset_seconds = 0;
};

class Limiter {
public:
    static constexpr std::size_t callers_max = 1'000'000;

    // Counts one request of `caller` in a category.
    LimitState count(std::uint64_t caller, std::int64_t limit, Instant now);
    // What `count` would answer, without counting.
    LimitState look(std::uint64_t caller, std::int64_t limit, Instant now) const;
    std::size_t size() const { return windows_.size(); }

private:
    struct Window {
        std::int64_t start_us = 0;
        std::int64_t current = 0, previous = 0;
    };
    static LimitState state_of(const Window& window, std::int64_t limit, Instant now);
    static void turn(Window& window, Instant now);
    void prune(Instant now);
    std::unordered_map<std::uint64_t, Window> windows_;
};

} // namespace urr::gateway
