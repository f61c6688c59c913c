#include "services/gateway/limiter.hpp"

#include <algorithm>

namespace urr::gateway {

namespace {
constexpr std::int64_t minute_us = Window::length_us;
}

// Begins the window that `now` lies in.
void Limiter::turn(Window& window, Instant now) {
    const std::int64_t passed = now.us - window.start_us;
    if (passed < minute_us) return;
    const bool adjacent = passed < 2 * minute_us;
    window.previous = adjacent ? window.current : 0;
    window.current = 0;
    window.start_us = adjacent ? window.start_us + minute_us : now.us;
}

LimitState Limiter::state_of(const Window& window, std::int64_t limit, Instant now) {
    const std::int64_t left_us = minute_us - (now.us - window.start_us);
    const std::int64_t used = window.current + window.previous * left_us / minute_us;
    return {used < limit, limit, std::max<std::int64_t>(0, limit - used - 1),
            left_us / 1'000'000 + 1};
}

LimitState Limiter::count(std::uint64_t caller, std::int64_t limit, Instant now) {
    if (windows_.size() >= callers_max) prune(now);
    Window& window = windows_[caller];
    turn(window, now);
    const LimitState state = state_of(window, limit, now);
    if (state.allowed) ++window.current;
    return state;
}

LimitState Limiter::look(std::uint64_t caller, std::int64_t limit, Instant now) const {
    const auto at = windows_.find(caller);
    if (at == windows_.end()) return {true, limit, limit, 1};
    Window window = at->second;
    turn(window, now);
    return state_of(window, limit, now);
}

void Limiter::prune(Instant now) {
    std::erase_if(windows_, [&](const auto& entry) {
        return now.us - entry.second.start_us >= 2 * minute_us;
    });
    if (windows_.size() >= callers_max) windows_.clear(); // bounded, whatever comes
}

} // namespace urr::gateway
