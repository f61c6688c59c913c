// One SQLite connection with its prepared statements, and the batch: works in, outcomes out. Used
// by both drivers; one thread at a time.
//
// A savepoint around each work copies every page that the work touches, and most works commit. So a
// batch is run without; when a work fails after having written, all is rolled back and the batch is
// repeated with savepoints, which undo that work alone. Works may run more than once, by contract.
#pragma once
#include <atomic>
#include <string>
#include <unordered_map>

#include "libs/sql/last_statements.hpp"
#include "libs/sql/sqlite_database.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace urr {

// The store's time: the wall clock, but never behind what this store has seen. When the wall clock
// is set back, this time runs on steadily from where it was, until the clock has caught up: one
// that is set right again takes nothing along. Each batch that changes anything stores its own time
// with it, so that a restart falls behind nothing that is written. It must not run ahead either: a
// time that is a second early ends holds before the end that their owners were told.
class StoreTime {
public:
    // A clock that is this far behind was set back; less is the small change of keeping it right,
    // for which time stands still.
    static constexpr Duration set_back_min = milliseconds(500);
    // Batches that change nothing store their time only this often: a refusal costs no sync.
    static constexpr Duration idle_store = seconds(1);

    explicit StoreTime(const Clock& clock) : clock_(clock) {}
    // At the start, with the last time that the store holds.
    void resume_from(Instant stored);
    // The writer's: the time of its next batch.
    Instant next();
    // The readers', any thread: the time now, not before that of any batch.
    Instant look() const;
    bool was_set_back() const { return set_back_; }

private:
    const Clock& clock_;
    std::atomic<std::int64_t> last_us_{0};
    std::atomic<std::int64_t> offset_us_{0}; // of this time to the steady clock
    bool set_back_ = false;
};

class SqliteConnection final : public Tx {
public:
    SqliteConnection() = default;
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    Result<> open(const SqliteOptions& options, bool read_only);
    Result<> script(const std::string& sql);
    bool start(Query& query) override;

    // Runs a chain of works in one transaction and leaves each its outcome. False: the store must
    // not be used any more. `acknowledge` is called before the commit when that bug is planted.
    template <class Acknowledge>
    bool write_batch(Job* first, StoreTime& time, bool early, StoreCounters& counters,
                     Acknowledge acknowledge);
    bool write_batch(Job* first, StoreTime& time, StoreCounters& counters) {
        return write_batch(first, time, false, counters, [] {});
    }
    // Runs one work on a snapshot.
    void read(Job& job, Instant at);
    // Moves the WAL's pages into the file; the whole of it when `everything`.
    void checkpoint(bool everything);
    Result<Rows> query(const Statement& statement, std::initializer_list<Value> values);

private:
    enum class Step : std::uint8_t { done, again, lost };
    // Careful batches after one that had to be repeated: refusals come in crowds.
    static constexpr int careful_batches = 64;

    int execute(const Statement& statement, const Value* values, std::size_t count, Rows* rows);
    int plain(const Statement& statement) { return execute(statement, nullptr, 0, nullptr); }
    Result<> write_log_again();
    // False: the batch is lost.
    bool run_works(Job* first, StoreCounters& counters);
    Step run_together(Job* first, StoreCounters& counters);
    Step run_apart(Job* first, StoreCounters& counters);
    Step run_one(Job& job);
    Step end_apart(Job& job, StoreCounters& counters);
    bool refused_late(const Job& job) const;
    void tell_late_refusal(Job& job);
    void abandon_batch(Job* first);
    bool take(Job& job, StoreCounters& counters);
    // The time that is stored once this batch is committed.
    Instant persist_time();

    sqlite3* handle_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
    std::function<void(std::string_view, std::string_view)> told_;
    LastStatements last_;   // of the work under way
    int careful_ = 0;       // batches to run with savepoints from the start
    int error_ = 0;         // SQLite's code of what went wrong in this batch
    bool wrote_ = false;    // a work of this batch has changed something that stays
    Instant time_stored_{}; // by a commit
};

namespace sqlite_statements {
extern const Statement begin, commit;
}

// SQLITE_IOERR, SQLITE_CORRUPT: nobody can say what is on the disk; only a restart finds out.
inline bool is_fatal(int code) { return (code & 255) == 10 || (code & 255) == 11; }

template <class Acknowledge>
bool SqliteConnection::write_batch(Job* first, StoreTime& time, bool early, StoreCounters& counters,
                                   Acknowledge acknowledge) {
    ++counters.batches;
    now = time.next();
    error_ = 0;
    has_events = wrote_ = is_reading = false;
    Loop::Enter nowhere(nullptr); // a work that awaits a loop fails at once
    bool lost = (error_ = plain(sqlite_statements::begin)) != 0 || !run_works(first, counters);
    if (!lost) {
        const Instant stored = persist_time();
        if (early) {
            acknowledge();
            first = nullptr; // who was told is not told otherwise
        }
        const int failed_commit = plain(sqlite_statements::commit);
        if (failed_commit) error_ = failed_commit;
        lost = failed_commit != 0;
        if (!lost) time_stored_ = stored;
    }
    counters.clock_was_set_back = time.was_set_back();
    if (!lost) return true;
    ++counters.lost_batches;
    abandon_batch(first);
    return !is_fatal(error_);
}

} // namespace urr
