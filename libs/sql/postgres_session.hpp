// One connection's life: it connects, takes what has queued up, runs it in one transaction,
// answers, and connects again when the server was away. As an embedded batch: the works run one
// after the other, without savepoints at first; when one fails after having written, the batch is
// taken back and repeated with a savepoint around each.
//
// BEGIN, the time-outs and savepoints travel with the statement that follows them, so that a work
// costs one round trip for each of its statements, and a batch one more for its COMMIT, unless that
// travels with the last statement.
#pragma once
#include "libs/sql/last_statements.hpp"
#include "libs/sql/postgres_engine.hpp"
#include "libs/sql/postgres_wire.hpp"

namespace urr {

class PostgresSession final : public Tx {
public:
    PostgresSession(PostgresEngine& engine, PostgresEngine::Server server);
    ~PostgresSession();
    PostgresSession(const PostgresSession&) = delete;
    PostgresSession& operator=(const PostgresSession&) = delete;

    Task<> live();
    bool start(Query& query) override;

private:
    // How a transaction ended.
    enum class End : std::uint8_t {
        committed,
        undone,   // a single work refused: it has its answer
        apart,    // to be repeated with savepoints
        conflict, // others' locks, crossed: to be repeated
        locked,   // a lock that nobody let go in time
        refused,  // the server would not: nothing was done
        lost,     // the connection went before COMMIT: nothing was done
        unknown,  // or after it
    };
    enum class After : std::uint8_t { nothing, keep, undo }; // what the next round trip begins with

    Task<> serve();
    Task<bool> limit_session();
    Task<bool> sample();
    Task<> run(PostgresEngine::Batch batch);
    Task<> run_jobs(std::span<Job*> jobs, int tries);
    Task<> repeat(std::span<Job*> jobs, int tries, End end);
    bool may_wait();
    std::span<Job*> still_awaited(std::span<Job*> jobs);
    Task<End> attempt(std::span<Job*> jobs, bool apart);
    Task<End> run_all(std::span<Job*> jobs, bool apart);
    Task<End> run_one(Job& job, bool apart, bool alone);
    bool begin_work(Job& job);
    bool go_on(Job& job);
    Task<Answer> ask(Query& first, bool commits);
    int send_limits();
    int send_what_comes_first();
    Task<Answer> last_of(int answers);
    Task<End> commit();
    End end_of_commit(const Answer& answer);
    Task<End> end_with_commit(End end);
    Task<> roll_back();
    void refuse_late(Job& job, bool committed);
    End end_of(const Answer& answer);
    Error error_of(End end) const;
    void finish(std::span<Job*> jobs, End end);

    PostgresEngine& engine_;
    const PostgresEngine::Server server_;
    PostgresWire wire_;
    const std::string batch_lock_ms_, patient_lock_ms_, statement_ms_;
    const Duration answer_timeout_;
    Instant sample_due_;
    Instant fresh_as_of_{INT64_MIN / 2}; // a replica

    // Of the transaction under way.
    std::vector<Job*> jobs_; // not answered yet; nullptr: answered
    bool single_ = false, whole_ = false;
    bool open_ = false; // BEGIN was sent
    After after_ = After::nothing;
    bool savepoint_wanted_ = false;
    bool wrote_ = false; // the work under way
    LastStatements last_;
    Query* query_ = nullptr;
    Job* met_ = nullptr;   // the work that met others' locks
    Instant repeat_until_; // of the batch
    std::string trouble_;
    int careful_ = 0;    // batches to run with savepoints from the start
    int alone_for_ = 0;  // batches to run while nobody else writes
    bool waits_ = false; // in this batch, for locks that somebody keeps
};

} // namespace urr
