// The embedded engine of Database: SQLite in WAL mode, synchronous FULL. One thread writes: it
// takes what has queued up, runs it in one transaction (in savepoints only when a work fails that
// wrote), commits once and answers all (group commit). One thread reads on snapshots beside it; one
// moves the WAL into the file.
//
// Whatever was answered is on the disk. After an I/O error at a commit nobody can say what is
// there: the batch is answered OUTCOME_UNKNOWN, the store takes no more work and healthy() turns
// false; a restart repairs it from the WAL.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libs/core/clock.hpp"
#include "libs/core/random.hpp"
#include "libs/sql/database.hpp"

namespace urr {

struct SqliteOptions {
    std::string path;
    const Clock* clock = nullptr; // wall clock behind the store's time
    const char* vfs = nullptr;    // the simulator's file system; nullptr: the real one
    int batch_max = 256;
    std::size_t queued_max = 20'000;
    std::size_t wal_bytes_max = 64u << 20; // beyond it the writer pauses for a full checkpoint
    // Told at the writer's thread of a work's mistake: work_refused_late (last_statements.hpp).
    std::function<void(std::string_view event, std::string_view detail)> told;
    // Planted bugs, for the tests that show that the simulator finds them.
    const char* synchronous = "FULL";
    bool acknowledge_before_commit = false;
};

class SqliteDatabase : public Database {
public:
    // Runs a script outside the queue, before the first work: migrations and seeds.
    virtual Result<> run_script(const std::string& sql) = 0;
    // One statement, likewise outside the queue.
    virtual Result<Rows> ask(const Statement& statement) = 0;
};

// UNAVAILABLE with a text that tells the operator what to mend: no such folder, not a database, no
// space, read-only, open in another process.
Result<std::unique_ptr<SqliteDatabase>> open_sqlite(const SqliteOptions& options);

// The simulator's driver: the same engine, whose writer is a timer of a simulated loop. A batch
// takes a seeded time before and after its commit.
Result<std::unique_ptr<SqliteDatabase>> open_sqlite_on_loop(const SqliteOptions& options,
                                                            Loop& loop, Random& random);

} // namespace urr
