// One SQLite connection with its prepared statements, and the batch: works in, outcomes out. Used by
// both drivers; one thread at a time.
#pragma once
#include <string>
#include <unordered_map>

#include "libs/sql/sqlite_database.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace urr {

// The store's time: the wall clock, but never behind what this store has seen. Between looks at the
// wall clock it is pushed along by it; when the clock is set back, time goes on by small steps.
class StoreTime {
public:
    explicit StoreTime(const Clock& clock) : clock_(clock) {}
    // At the start, with the last time that the store holds.
    void resume_from(Instant stored);
    Instant next();
    bool was_set_back() const { return set_back_; }

private:
    const Clock& clock_;
    Instant last_{};
    Instant wall_before_{};
    Duration ahead_{}; // of the wall clock, since it was set back
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
    bool write_batch(Job* first, StoreTime& time, bool early, SqliteCounters& counters,
                     Acknowledge acknowledge);
    bool write_batch(Job* first, StoreTime& time, SqliteCounters& counters) {
        return write_batch(first, time, false, counters, [] {});
    }
    // Runs one work on a snapshot.
    void read(Job& job, Instant at);
    // Moves the WAL's pages into the file; the whole of it when `everything`.
    void checkpoint(bool everything);
    Result<Rows> query(const Statement& statement, std::initializer_list<Value> values);

private:
    enum class Step : std::uint8_t { done, lost };
    int execute(const Statement& statement, const Value* values, std::size_t count, Rows* rows);
    int plain(const Statement& statement) { return execute(statement, nullptr, 0, nullptr); }
    Step write_one(Job& job, SqliteCounters& counters);
    void abandon_batch(Job* first);
    bool take(Job& job, SqliteCounters& counters);
    void persist_time();

    sqlite3* handle_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
    int error_ = 0; // SQLite's code of what went wrong in this batch
    Instant time_persisted_{};
};

// Begin, commit and the rest, shared with the template below.
namespace sqlite_statements {
extern const Statement begin, commit;
}

template <class Acknowledge>
bool SqliteConnection::write_batch(Job* first, StoreTime& time, bool early,
                                   SqliteCounters& counters, Acknowledge acknowledge) {
    ++counters.batches;
    now = time.next();
    error_ = 0;
    Loop::Enter nowhere(nullptr); // a work that awaits a loop fails at once
    bool lost = (error_ = plain(sqlite_statements::begin)) != 0;
    for (Job* job = first; job && !lost; job = job->link)
        if (take(*job, counters)) lost = write_one(*job, counters) == Step::lost;
    if (!lost) {
        persist_time();
        if (early) acknowledge();
        const int failed_commit = plain(sqlite_statements::commit);
        if (failed_commit) error_ = failed_commit;
        lost = failed_commit != 0;
    }
    counters.clock_was_set_back = time.was_set_back();
    if (!lost) return true;
    ++counters.lost_batches;
    abandon_batch(first);
    return (error_ & 255) != 10 && (error_ & 255) != 11; // SQLITE_IOERR, SQLITE_CORRUPT: fail-stop
}

} // namespace urr
