// Every figure the waiting room reports. The door's counters are plain atomics with one writer: its
// hot routes take no locked instruction.
#pragma once
#include <atomic>
#include <cstdint>

#include "libs/telemetry/metrics.hpp"

namespace urr::waiting_room {

// The keeper's.
struct KeeperCounters {
    std::atomic<std::uint64_t> turns{0}, leases{0}, reports{0}, stale_reports{0}, failed_writes{0},
        served{0}, conflicts{0};
};

// One loop's door's: written there alone, read by any thread.
struct DoorCounters {
    std::atomic<std::uint64_t> assigned{0}, repeated{0}, checked{0}, admitted{0}, statuses{0},
        limited{0};
};

// Without a locked instruction, since there is one writer.
inline void count(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

struct Figures {
    const KeeperCounters& keeper;
    DoorCounters doors; // the sum of all
    void write(MetricsText& out) const;
};

} // namespace urr::waiting_room
