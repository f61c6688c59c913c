// Rate limits over a sliding window of 60 s: two fixed windows, the older one weighed by what is
// left of it in the sliding one. At most twice the limit passes around a window's edge in theory,
// and the limit over any minute in the steady state.
//
//     if (!limits.ready(caller, limit, now)) co_await limits.prepare(context, caller, limit, now);
//     if (!limits.count(caller, limit, now).allowed) …
//
// Two engines: Limiter counts in this process; SharedLimiter (shared_limiter.hpp) with all
// gateways. One loop.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libs/async/context.hpp"
#include "libs/async/task.hpp"

namespace urr::gateway {

struct LimitState {
    bool allowed = true;
    std::int64_t limit = 0, remaining = 0, reset_seconds = 0;
};

// A minute's window and the one before it.
struct Window {
    static constexpr std::int64_t length_us = 60'000'000;
    std::int64_t start_us = 0;
    std::int64_t current = 0, previous = 0;
};

class RateLimits {
public:
    virtual ~RateLimits() = default;
    // False: whether the caller may is not known here; `prepare` finds out. Then `count` decides.
    virtual bool ready(std::uint64_t caller, std::int64_t limit, Instant now) const = 0;
    virtual Task<> prepare(Context context, std::uint64_t caller, std::int64_t limit,
                           Instant now) = 0;
    // Counts one request of `caller`; at once, whatever else is away.
    virtual LimitState count(std::uint64_t caller, std::int64_t limit, Instant now) = 0;
    // What this process alone would answer, without counting.
    virtual LimitState look(std::uint64_t caller, std::int64_t limit, Instant now) const = 0;
};

class Limiter final : public RateLimits {
public:
    static constexpr std::size_t callers_max = 1'000'000;

    bool ready(std::uint64_t, std::int64_t, Instant) const override { return true; }
    Task<> prepare(Context, std::uint64_t, std::int64_t, Instant) override { co_return; }
    LimitState count(std::uint64_t caller, std::int64_t limit, Instant now) override;
    LimitState look(std::uint64_t caller, std::int64_t limit, Instant now) const override;
    std::size_t size() const { return windows_.size(); }

private:
    static LimitState state_of(const Window& window, std::int64_t limit, Instant now);
    static void turn(Window& window, Instant now);
    void prune(Instant now);
    std::unordered_map<std::uint64_t, Window> windows_;
};

} // namespace urr::gateway
