// What a waiting person is told besides the number: when to ask again and how long it may take.
// Pure; on the hot path.
#pragma once
#include <algorithm>
#include <cstdint>

namespace urr::waiting_room {

struct WaitSeconds {
    bool known = false; // false: the line does not move, nobody can say
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

// The line may run faster (no-shows) or slower (a rate that falls) than now.
inline WaitSeconds wait_seconds(std::uint64_t ahead, std::uint32_t rate_per_minute) {
    if (rate_per_minute == 0) return {};
    const std::uint64_t steady = ahead * 60;
    return {true, steady * 4 / 5 / rate_per_minute, steady * 5 / 4 / rate_per_minute + 1};
}

// Grows with the distance, but never beyond the wait itself. `spread` is any number of the asker's
// own: it keeps those who came together from asking together.
inline std::uint64_t poll_after_seconds(std::uint64_t ahead, const WaitSeconds& wait,
                                        std::uint64_t spread) {
    std::uint64_t base = ahead <= 500 ? 2 : ahead <= 2'000 ? 5 : ahead <= 10'000 ? 10 : 15;
    if (wait.known) base = std::min(base, std::max<std::uint64_t>(2, wait.high));
    return base + spread % (base / 4 + 2);
}

} // namespace urr::waiting_room
