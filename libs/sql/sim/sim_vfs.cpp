// The face of SimDisk to SQLite: files, locks and shared memory as its VFS interface wants them.
// Source: https://www.sqlite.org/c3ref/io_methods.html, https://www.sqlite.org/c3ref/vfs.html
#include <algorithm>
#include <cstring>

#include "libs/sql/sim/sim_disk_state.hpp"

namespace urr {

namespace {

// SQLite allocates it and never destroys it: close() does.
struct OpenFile {
    sqlite3_file base;
    SimDisk::State* disk;
    std::shared_ptr<SimFile> file;
    int lock;
};

OpenFile& open_file(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
SimDisk::State& disk_of(sqlite3_vfs* vfs) { return *static_cast<SimDisk::State*>(vfs->pAppData); }

int close(sqlite3_file* handle) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    f.file.~shared_ptr();
    return SQLITE_OK;
}

int read(sqlite3_file* handle, void* into, int bytes, sqlite3_int64 offset) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    if (f.disk->dead) return SQLITE_IOERR_READ;
    const Bytes& visible = f.file->visible;
    const auto there = std::max<sqlite3_int64>(sqlite3_int64(visible.size()) - offset, 0);
    const auto got = std::size_t(std::min<sqlite3_int64>(bytes, there));
    if (got) std::memcpy(into, visible.data() + offset, got);
    if (got == std::size_t(bytes)) return SQLITE_OK;
    std::memset(static_cast<char*>(into) + got, 0, std::size_t(bytes) - got);
    return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* handle, const void* from, int bytes, sqlite3_int64 offset) {
    OpenFile& f = open_file(handle);
    SimDisk::State& disk = *f.disk;
    std::lock_guard guard(disk.mutex);
    if (disk.dead) return SQLITE_IOERR_WRITE;
    if (disk.faults.read_only) return SQLITE_READONLY;
    Bytes& visible = f.file->visible;
    const auto growth = std::max<std::int64_t>(offset + bytes - std::int64_t(visible.size()), 0);
    const std::int64_t most = disk.faults.bytes_max;
    if (growth > 0 && most >= 0 && disk.counters.bytes_used + growth > most) return SQLITE_FULL;
    disk.counters.bytes_used += growth;
    const auto* data = static_cast<const unsigned char*>(from);
    SimWrite change{offset, Bytes(data, data + bytes), -1};
    const bool alive = disk.operate();
    if (!alive) change.bytes.resize(disk.part_of(change.bytes.size()));
    SimDisk::State::apply(visible, change, 0, change.bytes.size());
    f.file->pending.push_back(std::move(change));
    return alive ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int truncate(sqlite3_file* handle, sqlite3_int64 length) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    if (!f.disk->operate()) return SQLITE_IOERR_TRUNCATE;
    if (f.disk->faults.read_only) return SQLITE_READONLY;
    f.disk->counters.bytes_used -= std::int64_t(f.file->visible.size()) - length;
    f.file->visible.resize(std::size_t(length));
    f.file->pending.push_back({0, {}, length});
    return SQLITE_OK;
}

int sync(sqlite3_file* handle, int) {
    OpenFile& f = open_file(handle);
    SimDisk::State& disk = *f.disk;
    std::lock_guard guard(disk.mutex);
    if (!disk.operate()) return SQLITE_IOERR_FSYNC;
    ++disk.counters.syncs;
    if (disk.random.chance(disk.faults.sync_fails_permille)) {
        disk.fail_sync(*f.file);
        return SQLITE_IOERR_FSYNC;
    }
    disk.sync(*f.file);
    return SQLITE_OK;
}

int file_size(sqlite3_file* handle, sqlite3_int64* size) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    *size = sqlite3_int64(f.file->visible.size());
    return SQLITE_OK;
}

int lock(sqlite3_file* handle, int level) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    SimFile& file = *f.file;
    if (level <= f.lock) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (file.highest_lock >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
        ++file.readers;
    } else {
        if (file.highest_lock >= SQLITE_LOCK_RESERVED && f.lock < SQLITE_LOCK_RESERVED)
            return SQLITE_BUSY;
        if (level == SQLITE_LOCK_EXCLUSIVE && file.readers > 1) {
            file.highest_lock = f.lock = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        file.highest_lock = level;
    }
    f.lock = level;
    return SQLITE_OK;
}

int unlock(sqlite3_file* handle, int level) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    if (f.lock <= level) return SQLITE_OK;
    if (f.lock >= SQLITE_LOCK_RESERVED) f.file->highest_lock = 0;
    if (level == SQLITE_LOCK_NONE) --f.file->readers;
    f.lock = level;
    return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* handle, int* reserved) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    *reserved = f.file->highest_lock >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int shared_map(sqlite3_file* handle, int region, int bytes, int extend, void volatile** out) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    auto& regions = f.file->shared_memory;
    auto found = regions.find(region);
    if (found == regions.end() && extend)
        found = regions.emplace(region, std::make_unique<char[]>(std::size_t(bytes))).first;
    *out = found == regions.end() ? nullptr : found->second.get();
    return SQLITE_OK;
}

int shared_lock(sqlite3_file* handle, int first, int count, int flags) {
    OpenFile& f = open_file(handle);
    std::lock_guard guard(f.disk->mutex);
    SimFile& file = *f.file;
    const bool shared = flags & SQLITE_SHM_SHARED, release = flags & SQLITE_SHM_UNLOCK;
    for (int i = first; i < first + count && !release; ++i)
        if (file.exclusive_locks[i] || (!shared && file.shared_locks[i])) return SQLITE_BUSY;
    int* locks = shared ? file.shared_locks : file.exclusive_locks;
    for (int i = first; i < first + count; ++i) locks[i] += release ? -1 : 1;
    return SQLITE_OK;
}

void shared_barrier(sqlite3_file* handle) { std::lock_guard guard(open_file(handle).disk->mutex); }

int shared_unmap(sqlite3_file*, int) { return SQLITE_OK; }

const sqlite3_io_methods file_methods{2,
                                      close,
                                      read,
                                      write,
                                      truncate,
                                      sync,
                                      file_size,
                                      lock,
                                      unlock,
                                      check_reserved_lock,
                                      control,
                                      sector_size,
                                      characteristics,
                                      shared_map,
                                      shared_lock,
                                      shared_barrier,
                                      shared_unmap,
                                      nullptr,
                                      nullptr};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* handle, int flags, int* flags_out) {
    SimDisk::State& disk = disk_of(vfs);
    std::lock_guard guard(disk.mutex);
    OpenFile& f = open_file(handle);
    f.base.pMethods = nullptr;
    if (!path || disk.dead) return SQLITE_CANTOPEN;
    auto found = disk.files.find(path);
    const bool writable = !disk.faults.read_only;
    if (found == disk.files.end()) {
        if (!(flags & SQLITE_OPEN_CREATE) || !writable) return SQLITE_CANTOPEN;
        found = disk.files.emplace(path, std::make_shared<SimFile>()).first;
    }
    new (&f.file) std::shared_ptr<SimFile>(found->second);
    f.disk = &disk;
    f.lock = SQLITE_LOCK_NONE;
    f.base.pMethods = &file_methods;
    if (!writable) flags = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
    if (flags_out) *flags_out = flags;
    return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* path, int synced) {
    SimDisk::State& disk = disk_of(vfs);
    std::lock_guard guard(disk.mutex);
    const auto found = disk.files.find(path);
    if (found == disk.files.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (!disk.operate() || disk.faults.read_only) return SQLITE_IOERR_DELETE;
    disk.counters.bytes_used -= std::int64_t(found->second->visible.size());
    if (!synced) disk.unsynced_deletions.emplace_back(path, found->second);
    disk.files.erase(found);
    return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* path, int, int* exists) {
    SimDisk::State& disk = disk_of(vfs);
    std::lock_guard guard(disk.mutex);
    const auto found = disk.files.find(path);
    *exists = found != disk.files.end() && !found->second->visible.empty();
    return disk.dead ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int bytes, char* out) {
    sqlite3_snprintf(bytes, out, "%s", path);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int bytes, char* out) {
    SimDisk::State& disk = disk_of(vfs);
    std::lock_guard guard(disk.mutex);
    disk.random.fill({reinterpret_cast<unsigned char*>(out), std::size_t(bytes)});
    return bytes;
}

int wait(sqlite3_vfs*, int microseconds) { return microseconds; }

int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
    constexpr sqlite3_int64 julian_1970_ms = 210'866'760'000'000;
    *out = julian_1970_ms + disk_of(vfs).clock.now().us / 1000;
    return SQLITE_OK;
}

int current_time_days(sqlite3_vfs* vfs, double* out) {
    sqlite3_int64 ms = 0;
    current_time_ms(vfs, &ms);
    *out = double(ms) / 86'400'000.0;
    return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

} // namespace

void make_sim_vfs(SimDisk::State& disk) {
    sqlite3_vfs& vfs = disk.vfs;
    vfs.iVersion = 2;
    vfs.szOsFile = int(sizeof(OpenFile));
    vfs.mxPathname = 256;
    vfs.zName = disk.name.c_str();
    vfs.pAppData = &disk;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = wait;
    vfs.xCurrentTime = current_time_days;
    vfs.xGetLastError = last_error;
    vfs.xCurrentTimeInt64 = current_time_ms;
}

} // namespace urr
