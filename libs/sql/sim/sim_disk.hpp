// SimDisk: a file system in memory for the embedded engine, that is as unkind as a real one may be.
// A file has what the process sees and what is durable; what was written and not synced may be
// kept, lost or torn by sectors when the power goes. A deletion that was not synced may be undone,
// a file whose directory was not synced may vanish.
//
//     SimDisk disk(seed, clock);
//     SqliteOptions options{.path = "ticket.db", .clock = &clock, .vfs = disk.vfs()};
//     ...
//     disk.die();             // every call fails from now on
//     database.reset();       // the process ends; the order matters: files are closed dead
//     disk.power_cut();       // or disk.process_killed(): the kernel keeps all writes
//
// Every fault is drawn from the seed. Any thread may use the files; faults are set between uses.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "libs/core/clock.hpp"

namespace urr {

class SimDisk {
public:
    struct Faults {
        std::int64_t die_at = -1;    // the operation (write, sync, delete) at which it dies
        std::int64_t bytes_max = -1; // full beyond it
        unsigned sync_fails_permille = 0;
        bool read_only = false;
    };
    struct Counters {
        std::int64_t operations = 0, syncs = 0, failed_syncs = 0, torn_writes = 0, lost_writes = 0;
        std::int64_t bytes_used = 0;
    };

    SimDisk(std::uint64_t seed, const Clock& clock);
    ~SimDisk();
    SimDisk(const SimDisk&) = delete;
    SimDisk& operator=(const SimDisk&) = delete;

    // The name for SqliteOptions::vfs; valid while the disk lives.
    const char* vfs() const;
    void set(const Faults& faults);
    Counters counters() const;

    void die();
    bool dead() const;
    // Makes it usable again, after die() and the end of whoever had files open.
    void power_cut();
    void process_killed();

    // A digest of everything durable or visible: equal runs have equal digests.
    std::uint64_t digest() const;

    struct State; // sim_disk.cpp and sim_vfs.cpp

private:
    std::unique_ptr<State> state_;
};

} // namespace urr
