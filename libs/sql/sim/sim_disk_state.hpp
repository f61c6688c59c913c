// What a simulated disk holds: shared by its faults (sim_disk.cpp) and its face to SQLite
// (sim_vfs.cpp).
#pragma once
#include <sqlite3.h>

#include <map>
#include <mutex>
#include <vector>

#include "libs/core/random.hpp"
#include "libs/sql/sim/sim_disk.hpp"

namespace urr {

using Bytes = std::vector<unsigned char>;

// A change of a file that was not synced yet: bytes at an offset, or a new length.
struct SimWrite {
    std::int64_t offset = 0;
    Bytes bytes;
    std::int64_t truncate_to = -1;
};

struct SimFile {
    Bytes visible, durable;
    std::vector<SimWrite> pending;
    bool linked = false; // its directory entry is durable
    // Shared memory and locks of the processes that have it open; gone when they end.
    std::map<int, std::unique_ptr<char[]>> shared_memory;
    int shared_locks[SQLITE_SHM_NLOCK] = {}, exclusive_locks[SQLITE_SHM_NLOCK] = {};
    int readers = 0, highest_lock = 0;
};

struct SimDisk::State {
    mutable std::mutex mutex;
    SeededRandom random;
    const Clock& clock;
    Faults faults;
    Counters counters;
    bool dead = false;
    std::map<std::string, std::shared_ptr<SimFile>> files;
    std::vector<std::pair<std::string, std::shared_ptr<SimFile>>> unsynced_deletions;
    std::string name;
    sqlite3_vfs vfs{};

    State(std::uint64_t seed, const Clock& of) : random(seed), clock(of) {}

    // One operation more; false when the disk is dead or dies at this one.
    bool operate();
    // What an operation that was cut short left of a write: a part of it from its start.
    std::size_t part_of(std::size_t bytes) { return bytes * random.below(9) / 8; }
    void sync(SimFile& file);
    // A failed sync as on Linux: pages are marked clean, some of them never reached the disk.
    void fail_sync(SimFile& file);
    void power_cut();
    void restart();

    static void apply(Bytes& to, const SimWrite& write, std::size_t from, std::size_t until);
    void apply_perhaps(Bytes& to, const SimWrite& write);
};

void make_sim_vfs(SimDisk::State& disk);

} // namespace urr
