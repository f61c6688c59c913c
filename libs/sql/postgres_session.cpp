#include "libs/sql/postgres_session.hpp"

#include <algorithm>

#include "libs/sql/lock_kept.hpp"

namespace urr {

namespace {

constexpr Statement begin_write{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
constexpr Statement begin_read{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
// The time-outs: of a connection that is ours alone once for all, otherwise of each transaction. A
// batch that writes also takes a lock that all batches share; one that is repeated takes it alone,
// so that it meets nobody's locks in another order. That lock is waited for longer than rows are
// (the last parameter), unless the batch is a single work.
#define TIME_OUTS(local)                                                                           \
    "SELECT set_config('lock_timeout', ?1, " local "), set_config('statement_timeout', ?2, " local \
    "), set_config('idle_in_transaction_session_timeout', ?2, " local ")"
#define SHARED "pg_advisory_xact_lock_shared(7697012) IS NULL"
#define ALONE "pg_advisory_xact_lock(7697012) IS NULL"
#define ROWS(parameter) ", set_config('lock_timeout', " parameter ", true)"
// The plans of a batch that is one work: its statements take arrays, whose lengths differ while the
// best plan does not; and a table that was empty when it was looked at last is none to be scanned.
#define ONE_PLAN                                                                                   \
    "set_config('plan_cache_mode', 'force_generic_plan', true), "                                  \
    "set_config('enable_seqscan', 'off', true), "
constexpr Statement limits_of_session{TIME_OUTS("false")};
// Of a connection with those limits.
constexpr Statement lock_of_single{"SELECT " SHARED};
constexpr Statement lock_of_write{"SELECT " SHARED ROWS("?1")};
constexpr Statement lock_alone{"SELECT " ALONE ROWS("?1")};
constexpr Statement lock_of_whole{"SELECT " ONE_PLAN SHARED ROWS("?1")};
// Of one that others use in between.
constexpr Statement limits_of_read{TIME_OUTS("true")};
constexpr Statement limits_of_write{TIME_OUTS("true") ", " SHARED ROWS("?3")};
constexpr Statement limits_alone{TIME_OUTS("true") ", " ALONE ROWS("?3")};
constexpr Statement limits_of_whole{TIME_OUTS("true") ", " ONE_PLAN SHARED ROWS("?3")};
#undef ONE_PLAN
#undef ROWS
#undef ALONE
#undef SHARED
#undef TIME_OUTS
constexpr Statement commit_all{"COMMIT"};
constexpr Statement rollback{"ROLLBACK"};
constexpr Statement savepoint{"SAVEPOINT work"};
constexpr Statement release{"RELEASE SAVEPOINT work"};
constexpr Statement undo{"ROLLBACK TO SAVEPOINT work"};
constexpr Statement look_at_primary{
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, "
    "(pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"};
constexpr Statement look_at_replica{
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, "
    "(pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint"};

constexpr int tries_max = 8; // of a single work that meets others' locks
constexpr int patience = 4;
constexpr int careful_batches = 64; // refusals come in crowds
constexpr int alone_batches = 16;   // and so do conflicts
constexpr Duration pause_first = milliseconds(4), pause_max = milliseconds(250);
constexpr Duration replica_patience = seconds(1); // then the primary answers
constexpr Duration reconnect_first = milliseconds(50), reconnect_max = seconds(1);

std::string milliseconds_of(Duration duration) { return std::to_string(duration.us / 1000); }

Duration doubled(Duration first, int times, Duration most) {
    return std::min(first * (std::int64_t(1) << std::min(times, 20)), most);
}

// Half of it to the whole.
Duration jittered(Duration duration, Random* random) {
    if (!random) return duration;
    return microseconds(random->between(duration.us / 2, duration.us));
}

constexpr std::string_view lock_timed_out = "55P03", cancelled = "57014";

// A serialization failure, a deadlock.
bool is_conflict(std::string_view state) { return state == "40001" || state == "40P01"; }
// The work's own: a constraint (23), its data (22), its text or its rights (42), a feature (0A), a
// statement that took too long, and whatever else is not the server's state: its neighbours in the
// batch must not pay for it. Not its own: the connection (08), resources (53), an operator (57P),
// the system (58, XX), a read-only server (25).
bool is_own(std::string_view state) {
    if (state.empty()) return false;
    for (const std::string_view other : {"08", "25", "53", "57P", "58", "XX"})
        if (state.starts_with(other)) return false;
    return true;
}

Error refusal(const Answer& answer) {
    if (answer.state.starts_with("23"))
        return Error(Code::CONFLICT); // not its words: they name our tables
    if (answer.state == "22021")
        return Error(Code::BAD_REQUEST, "a text has a character of value 0");
    if (answer.state == cancelled)
        return Error(Code::UNAVAILABLE, "the server ended a statement that took too long")
            .retry_after(1);
    return Error(Code::INTERNAL, answer.state + " " + answer.text);
}

} // namespace

PostgresSession::PostgresSession(PostgresEngine& engine, PostgresEngine::Server server)
    : engine_(engine), server_(server),
      wire_(engine.loop(), engine.names(), engine.options().pooled),
      batch_lock_ms_(milliseconds_of(engine.options().lock_timeout)),
      patient_lock_ms_(milliseconds_of(engine.options().lock_timeout * patience)),
      statement_ms_(milliseconds_of(engine.options().statement_timeout)),
      answer_timeout_(server == PostgresEngine::Server::primary
                          ? engine.options().answer_timeout
                          : std::min(engine.options().answer_timeout, replica_patience)) {}

PostgresSession::~PostgresSession() {
    for (Job* job : jobs_) {
        if (!job) continue;
        job->drop();
        job->release();
    }
}

Task<> PostgresSession::live() {
    const PostgresOptions& options = engine_.options();
    const bool primary = server_ == PostgresEngine::Server::primary;
    const PostgresTarget target{primary ? options.url : options.replica_url, primary};
    for (int failures = 0;;) {
        const auto connected = co_await wire_.connect(target, options.connect_timeout);
        // The clock first: without it no work may write.
        if (connected && co_await limit_session() && co_await sample()) {
            failures = 0;
            engine_.connected(server_);
            co_await serve();
            wire_.close();
            engine_.disconnected(server_);
            continue;
        }
        wire_.close();
        engine_.not_connected(server_, connected ? trouble_ : connected.error().text());
        const Duration pause = doubled(reconnect_first, failures++, reconnect_max);
        (void)co_await sleep(Context{}, jittered(pause, options.random));
    }
}

// Until the connection is lost.
Task<> PostgresSession::serve() {
    while (wire_.usable()) {
        if (engine_.loop().now() >= sample_due_) {
            if (!co_await sample()) co_return;
            continue;
        }
        const auto batch = engine_.take(server_, fresh_as_of_);
        if (batch.first)
            co_await run(batch);
        else
            co_await engine_.wait(sample_due_);
    }
}

// Where others use the connection in between, each transaction has its own limits.
Task<bool> PostgresSession::limit_session() {
    if (engine_.options().pooled) co_return true;
    const Value values[] = {patient_lock_ms_, statement_ms_};
    wire_.send(limits_of_session, values, 2);
    wire_.flush();
    const Answer answer = co_await last_of(1);
    trouble_ = answer.text;
    co_return answer.good();
}

Task<bool> PostgresSession::sample() {
    const bool primary = server_ == PostgresEngine::Server::primary;
    const Instant asked = engine_.loop().now();
    wire_.send(primary ? look_at_primary : look_at_replica);
    wire_.flush();
    const Answer answer = co_await last_of(1);
    trouble_ = answer.text;
    // Also when a standby was made of the primary, or the other way round: find the right one.
    if (!answer.good() || answer.rows.empty() || answer.rows.is_null(0, 1)) co_return false;
    const Instant now = engine_.loop().now();
    ServerTime& time = engine_.time;
    if (primary) {
        time.sampled(asked, now, answer.rows.instant(0, 0));
        time.primary_was_at(asked, answer.rows.integer(0, 1));
    } else {
        fresh_as_of_ = time.fresh_as_of(answer.rows.integer(0, 1));
    }
    sample_due_ = now + (time.agreed() ? ServerTime::sampled_each : ServerTime::repeated_after);
    if (!primary) sample_due_ = now + ServerTime::sampled_each;
    co_return true;
}

Task<> PostgresSession::run(PostgresEngine::Batch batch) {
    is_reading = batch.reading;
    jobs_.clear();
    for (Job* job = batch.first; job;) {
        Job* next = job->link;
        std::uint8_t expected = Job::queued;
        if (job->state.compare_exchange_strong(expected, Job::taken)) {
            jobs_.push_back(job);
        } else {
            ++engine_.counted.dropped;
            engine_.answer(*job);
        }
        job = next;
    }
    repeat_until_ = engine_.loop().now() + engine_.options().repeat_timeout;
    if (!jobs_.empty()) co_await run_jobs(jobs_, 0);
    jobs_.clear();
    if (std::exchange(waits_, false)) engine_.waits_no_more();
    engine_.publish();
}

Task<> PostgresSession::run_jobs(std::span<Job*> jobs, int tries) {
    const bool many = jobs.size() > 1;
    const bool apart = many && careful_ > 0;
    if (careful_ > 0) --careful_;
    if (alone_for_ > 0) --alone_for_;
    End end = co_await attempt(jobs, apart);
    if (end == End::apart) {
        careful_ = careful_batches;
        end = co_await attempt(jobs, true);
    }
    const bool has_met_others = end == End::conflict || end == End::locked;
    if (has_met_others && !whole_ && server_ == PostgresEngine::Server::primary)
        co_await repeat(jobs, tries, end);
    else
        finish(jobs, end);
}

// What met others' locks: alone at first, since two batches of ours may have crossed. Whose locks
// are met even so is none of ours: the work that met them goes by itself, behind the rest, keeps
// nobody else from writing while it waits, and is given up where all connections would wait so.
Task<> PostgresSession::repeat(std::span<Job*> jobs, int tries, End end) {
    ++engine_.counted.retried;
    Job* const met = std::exchange(met_, nullptr);
    jobs = still_awaited(jobs);
    if (jobs.empty()) co_return;
    if (tries >= tries_max || engine_.loop().now() >= repeat_until_) {
        finish(jobs, end);
    } else if (alone_for_ == 0 && tries == 0) {
        alone_for_ = alone_batches;
        co_await run_jobs(jobs, tries);
    } else if (jobs.size() > 1) {
        const auto last = std::ranges::find(jobs, met);
        const bool is_known = last != jobs.end();
        const std::size_t rest = is_known ? jobs.size() - 1 : jobs.size() / 2;
        if (is_known) std::rotate(last, last + 1, jobs.end());
        co_await run_jobs(jobs.first(rest), 0);
        if (is_known && !may_wait())
            finish(jobs.subspan(rest), end);
        else
            co_await run_jobs(jobs.subspan(rest), is_known ? 1 : 0);
    } else if (!may_wait()) {
        finish(jobs, end);
    } else {
        const Duration pause = doubled(pause_first, tries, pause_max);
        (void)co_await sleep(Context{}, jittered(pause, engine_.options().random));
        jobs = still_awaited(jobs);
        if (!jobs.empty()) co_await run_jobs(jobs, tries + 1);
    }
}

// From now on to the batch's end, for locks that are none of ours.
bool PostgresSession::may_wait() {
    alone_for_ = 0;
    if (!waits_) waits_ = engine_.may_wait();
    return waits_;
}

// Those whose callers wait no longer are not begun again: nothing of theirs was done.
std::span<Job*> PostgresSession::still_awaited(std::span<Job*> jobs) {
    const Instant now = engine_.loop().now();
    std::size_t kept = 0;
    for (Job*& job : jobs) {
        if (job->deadline > now) {
            std::swap(jobs[kept++], job);
            continue;
        }
        ++engine_.counted.dropped;
        job->settle(Error(Code::DEADLINE_EXCEEDED));
        engine_.answer(*std::exchange(job, nullptr));
    }
    return jobs.first(kept);
}

// Of a batch that was not committed.
Error PostgresSession::error_of(End end) const {
    if (end == End::locked) return lock_kept();
    Code code = Code::UNAVAILABLE;
    if (end == End::unknown && !is_reading) code = Code::OUTCOME_UNKNOWN;
    if (end == End::conflict && whole_) code = Code::CONFLICT;
    return Error(code, trouble_).retry_after(1);
}

void PostgresSession::finish(std::span<Job*> jobs, End end) {
    const bool done = end == End::committed || end == End::undone;
    if (!done) ++engine_.counted.lost_batches;
    if (end == End::unknown) ++engine_.counted.unknown_batches;
    for (Job*& job : jobs) {
        if (!done && server_ == PostgresEngine::Server::replica) {
            engine_.give_to_primary(*std::exchange(job, nullptr));
            continue;
        }
        if (!done) job->settle(error_of(end));
        engine_.answer(*std::exchange(job, nullptr));
    }
    if (end == End::committed && has_events) engine_.tell_of_events();
}

// One transaction, from BEGIN to its end.
Task<PostgresSession::End> PostgresSession::attempt(std::span<Job*> jobs, bool apart) {
    if (!wire_.usable()) co_return End::lost;
    if (engine_.loop().now() >= sample_due_ && !co_await sample()) co_return End::lost;
    const Instant steady = engine_.loop().now();
    const auto time = engine_.time.now(steady);
    if (!time && !is_reading) {
        trouble_ = "the clock of the store's server is not known";
        co_return End::refused;
    }
    now = time ? *time : engine_.time.look(steady);
    has_events = false;
    whole_ = jobs.front()->manner.whole;
    single_ = jobs.size() == 1 && !whole_;
    ++engine_.counted.batches;
    End end = co_await run_all(jobs, apart);
    if (end == End::committed) end = co_await commit();
    if (end != End::committed) co_await roll_back();
    open_ = false;
    after_ = After::nothing;
    co_return end;
}

Task<PostgresSession::End> PostgresSession::run_all(std::span<Job*> jobs, bool apart) {
    for (Job* job : jobs) {
        const End end = co_await run_one(*job, apart, jobs.size() == 1);
        if (end == End::conflict || end == End::locked) met_ = job;
        if (end != End::committed) co_return end;
        ++engine_.counted.works;
    }
    co_return End::committed;
}

// committed: the transaction may go on.
Task<PostgresSession::End> PostgresSession::run_one(Job& job, bool apart, bool alone) {
    savepoint_wanted_ = apart;
    for (bool over = begin_work(job); !over; over = go_on(job)) {
        if (!query_) {
            job.refuse();
            break;
        }
        const bool commits = query_->final && alone;
        const Answer answer = co_await ask(*query_, commits);
        End end = answer.good() ? End::committed : end_of(answer);
        if (commits) end = co_await end_with_commit(end);
        if (end == End::committed) {
            last_.ran_with_all(*query_);
            continue;
        }
        if (end == End::undone && !apart && !alone) end = End::apart;
        if (end != End::undone) {
            job.drop();
            co_return end;
        }
        failed = true;
        query_->result = fail(refusal(answer));
    }
    const bool late = !is_reading && last_.are_done() && (failed || !job.succeeded());
    if (late && alone) {
        refuse_late(job, true);
        co_return End::committed;
    }
    if (job.succeeded() && failed)
        job.settle(Error(Code::INTERNAL, "a statement failed and the work went on"));
    const bool has_savepoint = apart && !savepoint_wanted_;
    savepoint_wanted_ = false;
    if (job.succeeded()) {
        if (has_savepoint) after_ = After::keep;
        co_return End::committed;
    }
    ++engine_.counted.rolled_back;
    if (has_savepoint) {
        careful_ = careful_batches;
        after_ = After::undo;
    }
    const bool again = !apart && (wrote_ || failed);
    if (late && !again) refuse_late(job, false);
    if (!again) co_return End::committed;
    co_return alone ? End::undone : End::apart;
}

void PostgresSession::refuse_late(Job& job, bool committed) {
    Error answer = last_.answer(committed);
    if (engine_.options().told) engine_.options().told(LastStatements::refused_late, answer.text());
    job.settle(std::move(answer));
}

// What a statement that failed makes of the transaction. undone: the work's own failure.
PostgresSession::End PostgresSession::end_of(const Answer& answer) {
    trouble_ = answer.text;
    if (answer.kind == Answer::Kind::lost) return End::lost;
    if (answer.state == lock_timed_out) return End::locked;
    if (is_conflict(answer.state)) return End::conflict;
    // Prepared before a migration: the plan does not fit any more. A new connection has none.
    if (answer.fatal || answer.text.starts_with("cached plan")) wire_.close();
    if (answer.fatal || !is_own(answer.state) || !wire_.usable()) return End::refused;
    return End::undone;
}

bool PostgresSession::begin_work(Job& job) {
    failed = wrote_ = false;
    query_ = nullptr;
    last_.begin();
    Loop::Enter nowhere(nullptr); // a work that awaits a loop fails at once
    return job.start(*this);
}

bool PostgresSession::go_on(Job& job) {
    Loop::Enter nowhere(nullptr);
    return job.resume(*std::exchange(query_, nullptr));
}

bool PostgresSession::start(Query& query) {
    if (failed) {
        query.result = fail(Code::INTERNAL, "an earlier statement of this work failed");
        return true;
    }
    if (!last_.allow(query)) {
        failed = true;
        query.result = fail(LastStatements::behind());
        return true;
    }
    query_ = &query;
    return false;
}

// Of a transaction; how many answers they will have.
int PostgresSession::send_limits() {
    const bool alone = alone_for_ > 0;
    const std::string& rows_ms = single_ && !alone ? patient_lock_ms_ : batch_lock_ms_;
    if (engine_.options().pooled) {
        const Value values[] = {patient_lock_ms_, statement_ms_, rows_ms};
        const Statement& limits = is_reading ? limits_of_read
                                  : whole_   ? limits_of_whole
                                  : alone    ? limits_alone
                                             : limits_of_write;
        wire_.send(limits, values, is_reading ? 2 : 3);
        return 1;
    }
    if (is_reading) return 0;
    if (single_ && !alone) { // rows are waited for as long as the session says
        wire_.send(lock_of_single);
        return 1;
    }
    const Value values[] = {rows_ms};
    wire_.send(whole_ ? lock_of_whole : alone ? lock_alone : lock_of_write, values, 1);
    return 1;
}

// How many answers it will have.
int PostgresSession::send_what_comes_first() {
    int sent = 0;
    const auto send = [&](const Statement& statement) {
        wire_.send(statement);
        ++sent;
    };
    if (!open_) {
        open_ = true;
        send(is_reading ? begin_read : begin_write);
        sent += send_limits();
    }
    if (after_ == After::undo) send(undo);
    if (after_ != After::nothing) send(release);
    after_ = After::nothing;
    if (std::exchange(savepoint_wanted_, false)) send(savepoint);
    return sent;
}

// Leaves the rows with each; the last answer, which a failure of any is.
Task<Answer> PostgresSession::ask(Query& first, bool commits) {
    int before = send_what_comes_first();
    for (const Query* query = &first; query; query = query->also)
        wire_.send(query->statement, query->values, query->count);
    if (commits) wire_.send(commit_all);
    wire_.flush();
    Answer answer;
    for (Query* query = &first; query; query = query->also) {
        answer = co_await last_of(std::exchange(before, 0) + 1);
        if (answer.kind == Answer::Kind::lost) break;
        wrote_ = wrote_ || answer.wrote;
        if (answer.good()) query->result = std::move(answer.rows);
    }
    co_return answer;
}

// A failure among them is also the last one's: the server runs nothing behind it.
Task<Answer> PostgresSession::last_of(int answers) {
    Answer answer;
    for (int i = 0; i < answers; ++i) {
        answer = co_await wire_.next(engine_.loop().now() + answer_timeout_);
        if (answer.kind == Answer::Kind::lost) break;
    }
    co_return answer;
}

Task<PostgresSession::End> PostgresSession::commit() {
    if (!open_) co_return End::committed; // no work had a statement
    if (!wire_.usable()) co_return End::lost;
    const int before = send_what_comes_first();
    wire_.send(commit_all);
    wire_.flush();
    co_return end_of_commit(co_await last_of(before + 1));
}

PostgresSession::End PostgresSession::end_of_commit(const Answer& answer) {
    open_ = open_ && !answer.committed;
    if (answer.good() && answer.committed) return End::committed;
    trouble_ = answer.good() ? "the server took the transaction back" : answer.text;
    if (answer.kind == Answer::Kind::lost || answer.fatal) {
        wire_.close();
        return End::unknown;
    }
    return is_conflict(answer.state) ? End::conflict : End::refused;
}

// The COMMIT went with the statements that ended so.
Task<PostgresSession::End> PostgresSession::end_with_commit(End end) {
    if (end == End::lost) co_return End::unknown; // the server may have come as far
    const Answer answer = co_await last_of(1);
    co_return end == End::committed ? end_of_commit(answer) : end;
}

Task<> PostgresSession::roll_back() {
    if (!open_ || !wire_.usable()) co_return;
    wire_.send(rollback);
    wire_.flush();
    const Answer answer = co_await last_of(1);
    if (!answer.good()) wire_.close();
}

} // namespace urr
