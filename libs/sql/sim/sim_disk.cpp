#include "libs/sql/sim/sim_disk.hpp"

#include <algorithm>
#include <atomic>

#include "libs/sql/sim/sim_disk_state.hpp"

namespace urr {

namespace {

constexpr std::size_t sector_bytes = 512;

std::atomic<int> disks_made{0};

void mix(std::uint64_t& hash, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
}

} // namespace

bool SimDisk::State::operate() {
    if (dead) return false;
    if (++counters.operations == faults.die_at) dead = true;
    return !dead;
}

void SimDisk::State::apply(Bytes& to, const SimWrite& write, std::size_t from, std::size_t until) {
    if (write.truncate_to >= 0) {
        to.resize(std::size_t(write.truncate_to));
        return;
    }
    const auto offset = std::size_t(write.offset);
    if (to.size() < offset + until) to.resize(offset + until);
    std::copy(write.bytes.begin() + std::ptrdiff_t(from),
              write.bytes.begin() + std::ptrdiff_t(until),
              to.begin() + std::ptrdiff_t(offset + from));
}

void SimDisk::State::apply_perhaps(Bytes& to, const SimWrite& write) {
    const std::uint64_t fate = random.below(4);
    if (fate == 0) {
        ++counters.lost_writes;
        return;
    }
    if (fate == 1 || write.truncate_to >= 0) {
        if (fate == 1 || random.chance(500)) apply(to, write, 0, write.bytes.size());
        return;
    }
    ++counters.torn_writes;
    const auto offset = std::size_t(write.offset);
    for (std::size_t from = 0; from < write.bytes.size();) {
        const std::size_t sector_end = (offset + from) / sector_bytes * sector_bytes + sector_bytes;
        const std::size_t until = std::min(write.bytes.size(), sector_end - offset);
        if (random.chance(500)) apply(to, write, from, until);
        from = until;
    }
}

void SimDisk::State::sync(SimFile& file) {
    for (const SimWrite& write : file.pending) apply(file.durable, write, 0, write.bytes.size());
    file.pending.clear();
    if (file.linked) return;
    // SQLite's unix files sync their directory at the first sync of a new file.
    for (auto& [path, other] : files) other->linked = true;
    unsynced_deletions.clear();
}

void SimDisk::State::fail_sync(SimFile& file) {
    ++counters.failed_syncs;
    for (const SimWrite& write : file.pending) apply_perhaps(file.durable, write);
    file.pending.clear();
}

void SimDisk::State::power_cut() {
    for (auto& [path, file] : unsynced_deletions)
        if (!files.contains(path) && random.chance(500)) files[path] = file;
    unsynced_deletions.clear();
    for (auto entry = files.begin(); entry != files.end();) {
        SimFile& file = *entry->second;
        if (!file.linked && random.chance(500)) {
            entry = files.erase(entry);
            continue;
        }
        for (const SimWrite& write : file.pending) apply_perhaps(file.durable, write);
        file.pending.clear();
        file.visible = file.durable;
        file.linked = true;
        ++entry;
    }
    restart();
}

void SimDisk::State::restart() {
    counters.bytes_used = 0;
    for (auto& [path, file] : files) {
        file->shared_memory.clear();
        std::ranges::fill(file->shared_locks, 0);
        std::ranges::fill(file->exclusive_locks, 0);
        file->readers = file->highest_lock = 0;
        counters.bytes_used += std::int64_t(file->visible.size());
    }
    dead = false;
    faults.die_at = -1;
}

SimDisk::SimDisk(std::uint64_t seed, const Clock& clock)
    : state_(std::make_unique<State>(seed, clock)) {
    state_->name = "sim" + std::to_string(++disks_made);
    make_sim_vfs(*state_);
    sqlite3_vfs_register(&state_->vfs, 0);
    // SQLite's own randomness (salts of its log) is one per process: the same for the same seed.
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, int(seed % 0x7fffffff) + 1, nullptr);
}

SimDisk::~SimDisk() { sqlite3_vfs_unregister(&state_->vfs); }

const char* SimDisk::vfs() const { return state_->name.c_str(); }

void SimDisk::set(const Faults& faults) {
    std::lock_guard guard(state_->mutex);
    state_->faults = faults;
}

SimDisk::Counters SimDisk::counters() const {
    std::lock_guard guard(state_->mutex);
    return state_->counters;
}

void SimDisk::die() {
    std::lock_guard guard(state_->mutex);
    state_->dead = true;
}

bool SimDisk::dead() const {
    std::lock_guard guard(state_->mutex);
    return state_->dead;
}

void SimDisk::power_cut() {
    std::lock_guard guard(state_->mutex);
    state_->power_cut();
}

void SimDisk::process_killed() {
    std::lock_guard guard(state_->mutex);
    state_->restart();
}

std::uint64_t SimDisk::digest() const {
    std::lock_guard guard(state_->mutex);
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const auto& [path, file] : state_->files) {
        mix(hash, path.data(), path.size());
        mix(hash, file->visible.data(), file->visible.size());
        mix(hash, file->durable.data(), file->durable.size());
    }
    return hash;
}

} // namespace urr
