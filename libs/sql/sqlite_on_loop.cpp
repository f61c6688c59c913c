// The driver of the embedded engine in the simulator: writer and reader are timers of a simulated
// loop. A batch is executed at one step and answered at a later one, so that a crash may fall
// between commit and answer.
#include <deque>

#include "libs/sql/sqlite_connection.hpp"

namespace urr {

namespace {

constexpr Statement stored_time{"SELECT now_us FROM store_time"};

class SqliteOnLoop final : public SqliteDatabase {
public:
    SqliteOnLoop(const SqliteOptions& options, Loop& loop, Random& random)
        : options_(options), loop_(loop), random_(random), time_(*options.clock) {
        work_.self = finish_.self = this;
    }
    ~SqliteOnLoop() override {
        for (Job* job : queue_) job->release();
        for (Job* job = answering_; job;) {
            Job* next = job->link;
            job->release();
            job = next;
        }
    }
    Result<> open() {
        TRY_PLAIN(connection_.open(options_, false));
        TRY_PLAIN(connection_.script("CREATE TABLE IF NOT EXISTS store_time "
                                     "(id INTEGER PRIMARY KEY, now_us INTEGER NOT NULL)"));
        const Rows stored = TRY_PLAIN(connection_.query(stored_time, {}));
        time_.resume_from(stored.empty() ? Instant{} : stored.instant(0, 0));
        return {};
    }
    bool submit(Job& job, bool reading) override {
        if (broken_ || queue_.size() >= options_.queued_max) return false;
        if (reading) { // a snapshot of what is committed now
            std::uint8_t expected = Job::queued;
            if (job.state.compare_exchange_strong(expected, Job::taken))
                connection_.read(job, time_.look());
            loop_.post(job);
            return true;
        }
        queue_.push_back(&job);
        if (!busy_) {
            busy_ = true;
            loop_.arm(work_, loop_.now() + delay());
        }
        return true;
    }
    bool healthy() const override { return !broken_; }
    StoreCounters counters() const override { return counters_; }
    Result<> run_script(const std::string& sql) override { return connection_.script(sql); }
    Result<Rows> ask(const Statement& statement) override {
        return connection_.query(statement, {});
    }

private:
    struct Step : Timer {
        SqliteOnLoop* self = nullptr;
        using Timer::Timer;
    };

    Duration delay() { return microseconds(random_.between(20, 400)); }
    void answer(Job* job) {
        while (job) {
            Job* next = std::exchange(job->link, nullptr);
            loop_.post(*job);
            job = next;
        }
    }
    void work() {
        Job* first = nullptr;
        Job** tail = &first;
        for (int n = 0; n < options_.batch_max && !queue_.empty(); ++n) {
            *tail = queue_.front();
            queue_.pop_front();
            tail = &(*tail)->link;
        }
        *tail = nullptr;
        answering_ = first;
        const bool usable = connection_.write_batch(
            first, time_, options_.acknowledge_before_commit, counters_, [this] {
                Loop::Enter in(&loop_);
                answer(std::exchange(answering_, nullptr));
            });
        broken_ = !usable;
        if (connection_.has_events) tell_listener();
        if (counters_.batches % 64 == 0) connection_.checkpoint(false);
        loop_.arm(finish_, loop_.now() + delay());
    }
    void finish() {
        answer(std::exchange(answering_, nullptr));
        busy_ = false;
        if (broken_) {
            for (Job* job : queue_) {
                job->settle(Error(Code::UNAVAILABLE));
                loop_.post(*job);
            }
            queue_.clear();
        }
        if (queue_.empty()) return;
        busy_ = true;
        loop_.arm(work_, loop_.now());
    }

    const SqliteOptions options_;
    Loop& loop_;
    Random& random_;
    SqliteConnection connection_;
    StoreTime time_;
    std::deque<Job*> queue_;
    Job* answering_ = nullptr;
    bool busy_ = false, broken_ = false;
    StoreCounters counters_;
    Step work_{[](Node& node) { static_cast<Step&>(node).self->work(); }};
    Step finish_{[](Node& node) { static_cast<Step&>(node).self->finish(); }};
};

} // namespace

Result<std::unique_ptr<SqliteDatabase>> open_sqlite_on_loop(const SqliteOptions& options,
                                                            Loop& loop, Random& random) {
    auto database = std::make_unique<SqliteOnLoop>(options, loop, random);
    TRY_PLAIN(database->open());
    return database;
}

} // namespace urr
