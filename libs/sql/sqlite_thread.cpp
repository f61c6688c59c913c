// The driver of the embedded engine in a real process: a writer thread, a reader thread, and a
// thread that moves the WAL into the file.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "libs/sql/sqlite_connection.hpp"

namespace urr {

namespace {

constexpr auto checkpoint_interval = std::chrono::milliseconds(200);
constexpr Statement stored_time{"SELECT now_us FROM store_time"};

// A bounded queue of works with one consumer.
class WorkQueue {
public:
    explicit WorkQueue(std::size_t queued_max) : queued_max_(queued_max) {}

    bool push(Job& job) {
        {
            std::lock_guard guard(mutex_);
            if (closed_ || count_ >= queued_max_) return false;
            *tail_ = &job;
            tail_ = &job.link;
            ++count_;
            if (!idle_) return true;
        }
        wake_.notify_one();
        return true;
    }
    // Up to `most` works as a chain; nullptr once closed and empty.
    Job* pop(int most) {
        std::unique_lock guard(mutex_);
        idle_ = true;
        wake_.wait(guard, [this] { return head_ || closed_; });
        idle_ = false;
        if (!head_) return nullptr;
        Job* first = head_;
        Job* last = head_;
        int taken = 1;
        while (last->link && taken < most) {
            last = last->link;
            ++taken;
        }
        head_ = std::exchange(last->link, nullptr);
        if (!head_) tail_ = &head_;
        count_ -= std::size_t(taken);
        return first;
    }
    void close() {
        {
            std::lock_guard guard(mutex_);
            closed_ = true;
        }
        wake_.notify_all();
    }

private:
    const std::size_t queued_max_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Job* head_ = nullptr;
    Job** tail_ = &head_;
    std::size_t count_ = 0;
    bool closed_ = false, idle_ = false;
};

void answer(Job* job) {
    while (job) {
        Job* next = std::exchange(job->link, nullptr);
        job->home->post(*job);
        job = next;
    }
}

// Keeps a second process away from the file: two would not see each other's queue.
class ProcessLock {
public:
    ~ProcessLock() {
        if (file_ >= 0) ::close(file_);
    }
    Result<> take(const std::string& path) {
        file_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (file_ < 0)
            return fail(Code::UNAVAILABLE, "cannot write " + path + ": " + std::strerror(errno));
        if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
            return fail(Code::UNAVAILABLE, path + ": another process uses this store");
        return {};
    }

private:
    int file_ = -1;
};

class SqliteThreads final : public SqliteDatabase {
public:
    explicit SqliteThreads(const SqliteOptions& options)
        : options_(options), time_(*options.clock), writes_(options.queued_max),
          reads_(options.queued_max) {}

    ~SqliteThreads() override {
        writes_.close();
        reads_.close();
        {
            std::lock_guard guard(stop_mutex_);
            stopping_ = true;
        }
        stop_.notify_all();
        for (std::thread* thread : {&writer_thread_, &reader_thread_, &checkpoint_thread_})
            if (thread->joinable()) thread->join();
    }

    Result<> open() {
        TRY_PLAIN(lock_.take(options_.path + ".lock"));
        TRY_PLAIN(writer_.open(options_, false));
        TRY_PLAIN(writer_.script("CREATE TABLE IF NOT EXISTS store_time "
                                 "(id INTEGER PRIMARY KEY, now_us INTEGER NOT NULL)"));
        const Rows stored = TRY_PLAIN(writer_.query(stored_time, {}));
        time_.resume_from(stored.empty() ? Instant{} : stored.instant(0, 0));
        TRY_PLAIN(reader_.open(options_, true));
        TRY_PLAIN(checkpointer_.open(options_, false));
        writer_thread_ = std::thread([this] { write(); });
        reader_thread_ = std::thread([this] { read(); });
        checkpoint_thread_ = std::thread([this] { checkpoint(); });
        return {};
    }

    bool submit(Job& job, bool reading) override {
        if (!healthy()) return false;
        return (reading ? reads_ : writes_).push(job);
    }
    bool healthy() const override { return !broken_.load(std::memory_order_relaxed); }
    StoreCounters counters() const override {
        std::lock_guard guard(counters_mutex_);
        return published_;
    }
    Result<> run_script(const std::string& sql) override {
        SqliteConnection connection;
        TRY_PLAIN(connection.open(options_, false));
        return connection.script(sql);
    }
    Result<Rows> ask(const Statement& statement) override {
        SqliteConnection connection;
        TRY_PLAIN(connection.open(options_, true));
        return connection.query(statement, {});
    }

private:
    void write() {
        while (Job* first = writes_.pop(options_.batch_max)) {
            bool early = options_.acknowledge_before_commit;
            const bool usable = !healthy()
                                    ? refuse(first)
                                    : writer_.write_batch(first, time_, early, counters_, [] {});
            if (!usable) broken_.store(true, std::memory_order_relaxed);
            { // before the answers: whoever has one finds its work counted
                std::lock_guard guard(counters_mutex_);
                published_ = counters_;
            }
            answer(first);
            if (writer_.has_events) tell_listener();
            if (full_checkpoint_.exchange(false, std::memory_order_relaxed))
                writer_.checkpoint(true);
        }
    }
    static bool refuse(Job* first) {
        for (Job* job = first; job; job = job->link) job->settle(Error(Code::UNAVAILABLE));
        return true;
    }
    void read() {
        while (Job* job = reads_.pop(1)) {
            std::uint8_t expected = Job::queued;
            if (job->state.compare_exchange_strong(expected, Job::taken))
                reader_.read(*job, time_.look());
            answer(job);
        }
    }
    void checkpoint() {
        std::unique_lock guard(stop_mutex_);
        while (!stop_.wait_for(guard, checkpoint_interval, [this] { return stopping_; })) {
            guard.unlock();
            checkpointer_.checkpoint(false);
            struct stat wal{};
            if (::stat((options_.path + "-wal").c_str(), &wal) == 0 &&
                std::size_t(wal.st_size) > options_.wal_bytes_max)
                full_checkpoint_.store(true, std::memory_order_relaxed);
            guard.lock();
        }
    }

    const SqliteOptions options_;
    ProcessLock lock_;
    SqliteConnection writer_, reader_, checkpointer_;
    StoreTime time_;
    WorkQueue writes_, reads_;
    std::atomic<bool> broken_{false}, full_checkpoint_{false};
    StoreCounters counters_; // the writer's
    mutable std::mutex counters_mutex_;
    StoreCounters published_;
    std::mutex stop_mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;
    std::thread writer_thread_, reader_thread_, checkpoint_thread_;
};

} // namespace

Result<std::unique_ptr<SqliteDatabase>> open_sqlite(const SqliteOptions& options) {
    auto database = std::make_unique<SqliteThreads>(options);
    TRY_PLAIN(database->open());
    return database;
}

} // namespace urr
