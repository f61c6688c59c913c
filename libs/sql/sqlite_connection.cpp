#include "libs/sql/sqlite_connection.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace urr {

namespace sqlite_statements {
const Statement begin{"BEGIN IMMEDIATE"};
const Statement commit{"COMMIT"};
} // namespace sqlite_statements

namespace {

constexpr Statement begin_read{"BEGIN"};
constexpr Statement rollback{"ROLLBACK"};
constexpr Statement use_wal{"PRAGMA journal_mode=WAL"};
constexpr Statement savepoint{"SAVEPOINT work"};
constexpr Statement release{"RELEASE work"};
constexpr Statement undo{"ROLLBACK TO work"};
constexpr Statement store_time{"INSERT INTO store_time (id, now_us) VALUES (1, ?1) "
                               "ON CONFLICT (id) DO UPDATE SET now_us = excluded.now_us"};

constexpr int log_part_bytes = 64 * 1024; // SQLite writes less than 128 KiB at once

static_assert(SQLITE_IOERR == 10 && SQLITE_CORRUPT == 11);

int bind(sqlite3_stmt* statement, int at, const Value& value) {
    const int size = int(value.size);
    switch (value.kind) {
    case Value::Kind::null:
        return sqlite3_bind_null(statement, at);
    case Value::Kind::integer:
        return sqlite3_bind_int64(statement, at, value.number);
    case Value::Kind::text:
        return sqlite3_bind_text(statement, at, value.data, size, SQLITE_STATIC);
    case Value::Kind::bytes:
        return sqlite3_bind_blob(statement, at, value.data ? value.data : "", size, SQLITE_STATIC);
    default: // it has no arrays
        break;
    }
    return SQLITE_MISUSE;
}

void read_row(sqlite3_stmt* statement, Rows& rows) {
    const int columns = sqlite3_column_count(statement);
    rows.begin(std::size_t(columns));
    for (int i = 0; i < columns; ++i) {
        const int type = sqlite3_column_type(statement, i);
        if (type == SQLITE_NULL) {
            rows.add_null();
        } else if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
            rows.add_integer(sqlite3_column_int64(statement, i));
        } else {
            const void* data = sqlite3_column_blob(statement, i);
            const auto size = std::size_t(sqlite3_column_bytes(statement, i));
            rows.add_bytes(type == SQLITE_TEXT ? Value::Kind::text : Value::Kind::bytes,
                           {static_cast<const char*>(data), size});
        }
    }
}

Error refusal(int code, const char* message) {
    const int kind = code & 255;
    if (kind == SQLITE_CONSTRAINT) return Error(Code::CONFLICT, message);
    if (kind == SQLITE_ERROR || kind == SQLITE_MISUSE || kind == SQLITE_RANGE)
        return Error(Code::INTERNAL, message);
    return Error(Code::UNAVAILABLE, message);
}

} // namespace

void StoreTime::resume_from(Instant stored) {
    last_us_ = stored.us;
    offset_us_ = (stored - clock_.steady()).us;
    next();
}

Instant StoreTime::next() {
    const std::int64_t steady = clock_.steady().us, wall = clock_.now().us;
    if (steady + offset_us_ > wall + set_back_min.us)
        set_back_ = true;
    else
        offset_us_ = wall - steady;
    last_us_ = std::max(last_us_.load(), steady + offset_us_);
    return {last_us_};
}

Instant StoreTime::look() const {
    return {std::max({last_us_.load(), clock_.steady().us + offset_us_, clock_.now().us})};
}

SqliteConnection::~SqliteConnection() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
}

Result<> SqliteConnection::open(const SqliteOptions& options, bool read_only) {
    // Nobody asks how much memory SQLite uses, and counting it takes a lock of the whole process
    // for each allocation. It can be set before SQLite's first use only; later it changes nothing.
    static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)uncounted;
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(options.path.c_str(), &handle_, flags, options.vfs) != SQLITE_OK)
        return fail(Code::UNAVAILABLE,
                    "cannot open " + options.path + ": " + sqlite3_errmsg(handle_));
    told_ = options.told;
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, 5000);
    std::string setup = "PRAGMA synchronous=" + std::string(options.synchronous) +
                        ";PRAGMA wal_autocheckpoint=0;PRAGMA temp_store=MEMORY;"
                        "PRAGMA foreign_keys=ON;PRAGMA cache_size=-16000;PRAGMA mmap_size=0;";
    if (read_only) setup += "PRAGMA query_only=ON;";
    if (sqlite3_db_readonly(handle_, "main") == 1)
        return fail(Code::UNAVAILABLE, "cannot write " + options.path +
                                           ": the file or its disk is "
                                           "read-only");
    Rows mode;
    if (execute(use_wal, nullptr, 0, &mode) || mode.empty() || mode.text(0, 0) != "wal")
        return fail(Code::UNAVAILABLE,
                    "cannot use " + options.path + ": " + sqlite3_errmsg(handle_));
    TRY_PLAIN(script(setup));
    return read_only ? Result<>{} : write_log_again();
}

// After a sync that failed the kernel may call pages clean that never reached the disk. A process
// that is started again sees them, builds on them, and a power cut later takes them away from under
// what was acknowledged since. So all of the log that this process found is written once more and
// synced before anything is built on it.
Result<> SqliteConnection::write_log_again() {
    const auto failed_with = [this](int code) -> Result<> {
        const std::string why = sqlite3_errstr(code);
        if (!sqlite3_get_autocommit(handle_)) plain(rollback);
        return fail(Code::UNAVAILABLE, "cannot secure the log: " + why);
    };
    // The write lock: nobody else appends meanwhile.
    if (const int code = plain(sqlite_statements::begin)) return failed_with(code);
    sqlite3_file* log = nullptr;
    sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    sqlite3_int64 size = 0;
    if (log && log->pMethods) {
        if (const int code = log->pMethods->xFileSize(log, &size)) return failed_with(code);
    }
    std::vector<unsigned char> part(log_part_bytes);
    for (sqlite3_int64 at = 0; at < size; at += log_part_bytes) {
        const int length = int(std::min<sqlite3_int64>(log_part_bytes, size - at));
        if (const int code = log->pMethods->xRead(log, part.data(), length, at))
            return failed_with(code);
        if (const int code = log->pMethods->xWrite(log, part.data(), length, at))
            return failed_with(code);
    }
    if (size > 0)
        if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_FULL)) return failed_with(code);
    if (const int code = plain(rollback)) return failed_with(code);
    return {};
}

Result<> SqliteConnection::script(const std::string& sql) {
    char* message = nullptr;
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &message);
    if (code == SQLITE_OK) return {};
    std::string text = message ? message : sqlite3_errmsg(handle_);
    sqlite3_free(message);
    if (!sqlite3_get_autocommit(handle_)) plain(rollback);
    return fail(refusal(code, text.c_str()));
}

int SqliteConnection::execute(const Statement& text, const Value* values, std::size_t count,
                              Rows* rows) {
    sqlite3_stmt*& statement = statements_[text.sql];
    if (!statement) {
        const int code = sqlite3_prepare_v3(handle_, text.sql, -1, SQLITE_PREPARE_PERSISTENT,
                                            &statement, nullptr);
        if (code) return code;
    }
    for (std::size_t i = 0; i < count; ++i)
        if (const int code = bind(statement, int(i) + 1, values[i])) return code;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (rows) read_row(statement, *rows);
    if (rows) rows->set_changes(sqlite3_changes64(handle_));
    const int after = sqlite3_reset(statement);
    return code == SQLITE_DONE ? after : code;
}

Result<Rows> SqliteConnection::query(const Statement& statement,
                                     std::initializer_list<Value> values) {
    Rows rows;
    if (const int code = execute(statement, values.begin(), values.size(), &rows))
        return fail(refusal(code, sqlite3_errmsg(handle_)));
    return rows;
}

bool SqliteConnection::start(Query& query) {
    if (failed) {
        query.result = fail(Code::INTERNAL, "the transaction has failed already");
        return true;
    }
    if (!last_.allow(query)) {
        failed = true;
        query.result = fail(LastStatements::behind());
        return true;
    }
    Rows rows;
    if (const int code = execute(query.statement, query.values, query.count, &rows)) {
        failed = true;
        error_ = code;
        query.result = fail(refusal(code, sqlite3_errmsg(handle_)));
    } else {
        query.result = std::move(rows);
        last_.ran(query);
    }
    return true;
}

bool SqliteConnection::take(Job& job, StoreCounters& counters) {
    std::uint8_t expected = Job::queued;
    if (job.state.compare_exchange_strong(expected, Job::taken)) return true;
    ++counters.dropped; // its caller has gone, or was told that the deadline came
    return false;
}

bool SqliteConnection::run_works(Job* first, StoreCounters& counters) {
    Step step = Step::again;
    if (careful_ == 0)
        step = run_together(first, counters);
    else
        --careful_;
    if (step == Step::again) step = run_apart(first, counters);
    return step == Step::done;
}

// `again`: a work failed and has written, or is to be told of; all of the batch is taken back.
SqliteConnection::Step SqliteConnection::run_together(Job* first, StoreCounters& counters) {
    StoreCounters counted = counters; // of a batch that is taken back nothing counts
    for (Job* job = first; job; job = job->link) {
        if (!take(*job, counted)) continue;
        const auto changes_before = sqlite3_total_changes64(handle_);
        if (run_one(*job) == Step::lost) return Step::lost;
        ++counted.works;
        if (job->succeeded() && !failed) continue;
        ++counted.rolled_back;
        const bool wrote = sqlite3_total_changes64(handle_) != changes_before;
        if (!failed && !wrote && !refused_late(*job)) continue;
        careful_ = careful_batches;
        has_events = wrote_ = false;
        error_ = plain(rollback);
        if (!error_) error_ = plain(sqlite_statements::begin);
        return error_ ? Step::lost : Step::again;
    }
    counters = counted;
    return Step::done;
}

SqliteConnection::Step SqliteConnection::run_apart(Job* first, StoreCounters& counters) {
    for (Job* job = first; job; job = job->link) {
        // Those that ran in the batch that was taken back are taken already.
        if (job->state.load() != Job::taken && !take(*job, counters)) continue;
        if ((error_ = plain(savepoint))) return Step::lost;
        if (run_one(*job) == Step::lost) return Step::lost;
        ++counters.works;
        if (end_apart(*job, counters) == Step::lost) return Step::lost;
    }
    return Step::done;
}

SqliteConnection::Step SqliteConnection::run_one(Job& job) {
    failed = false;
    error_ = 0;
    last_.begin();
    const auto changes_before = sqlite3_total_changes64(handle_);
    job.run(*this);
    if (is_fatal(error_)) return Step::lost;
    wrote_ |= job.succeeded() && !failed && sqlite3_total_changes64(handle_) != changes_before;
    // A full disk or an I/O error may have rolled back the whole transaction by itself.
    if (!sqlite3_get_autocommit(handle_)) return Step::done;
    if (!error_) error_ = SQLITE_ABORT;
    return Step::lost;
}

// Keeps what the work wrote, or undoes it.
SqliteConnection::Step SqliteConnection::end_apart(Job& job, StoreCounters& counters) {
    if (job.succeeded() && !failed) {
        error_ = plain(release);
        return error_ ? Step::lost : Step::done;
    }
    if (refused_late(job))
        tell_late_refusal(job);
    else if (job.succeeded())
        job.settle(Error(Code::INTERNAL, "a statement failed and the work went on"));
    ++counters.rolled_back;
    careful_ = careful_batches;
    error_ = plain(undo);
    if (!error_) error_ = plain(release);
    return error_ ? Step::lost : Step::done;
}

bool SqliteConnection::refused_late(const Job& job) const {
    return last_.are_done() && (failed || !job.succeeded());
}

void SqliteConnection::tell_late_refusal(Job& job) {
    Error answer = last_.answer(false);
    if (told_) told_(LastStatements::refused_late, answer.text());
    job.settle(std::move(answer));
}

// Refusals of a lost batch rest on rows that are gone as well: everyone gets the same answer.
void SqliteConnection::abandon_batch(Job* first) {
    std::string why = sqlite3_errmsg(handle_);
    if (!sqlite3_get_autocommit(handle_)) plain(rollback);
    for (Job* job = first; job; job = job->link)
        job->settle(Error(is_fatal(error_) ? Code::OUTCOME_UNKNOWN : Code::UNAVAILABLE, why));
}

Instant SqliteConnection::persist_time() {
    if (!wrote_ && now < time_stored_ + StoreTime::idle_store) return time_stored_;
    const Value value(now);
    return execute(store_time, &value, 1, nullptr) == SQLITE_OK ? now : time_stored_;
}

void SqliteConnection::read(Job& job, Instant at) {
    now = at;
    failed = false;
    is_reading = true;
    last_.begin();
    Loop::Enter nowhere(nullptr);
    if (plain(begin_read)) {
        job.settle(Error(Code::UNAVAILABLE, sqlite3_errmsg(handle_)));
        return;
    }
    job.run(*this);
    plain(sqlite_statements::commit);
    if (!sqlite3_get_autocommit(handle_)) plain(rollback);
}

void SqliteConnection::checkpoint(bool everything) {
    sqlite3_wal_checkpoint_v2(handle_, nullptr,
                              everything ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                              nullptr, nullptr);
}

} // namespace urr
