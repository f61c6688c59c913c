// The inside of open_postgres: the queue that the sessions of a store share. Works may come from
// any loop; all else happens at the engine's own.
#pragma once
#include <mutex>

#include "libs/async/nursery.hpp"
#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_time.hpp"

namespace urr {

class PostgresSession;

class PostgresEngine final : public Database {
public:
    enum class Server : std::uint8_t { primary, replica };
    struct Batch {
        Job* first = nullptr; // a chain
        bool reading = false;
    };

    PostgresEngine(const PostgresOptions& options, RunLoop& loop);
    ~PostgresEngine() override;
    void begin();

    bool submit(Job& job, bool reading) override;
    bool healthy() const override { return healthy_.load(std::memory_order_relaxed); }
    StoreCounters counters() const override;
    bool takes_arrays() const override { return true; }

    // For the sessions.
    RunLoop& loop() { return loop_; }
    const PostgresOptions& options() const { return options_; }
    Names& names() { return options_.names ? *options_.names : *system_names_; }
    // What one session does next. `fresh_as_of`: of a replica.
    Batch take(Server server, Instant fresh_as_of);
    // Until there may be work, or `until`.
    Task<> wait(Instant until);
    // The outcome goes home.
    void answer(Job& job);
    // What the replica took and could not answer.
    void give_to_primary(Job& job);
    // For locks that somebody keeps: all connections but one may, so that the others' works go on.
    bool may_wait();
    void waits_no_more() { --waiting_; }
    void tell_of_events() { tell_listener(); }
    void connected(Server server);
    void disconnected(Server server);
    void not_connected(Server server, std::string_view why);
    void publish();

    ServerTime time;
    StoreCounters counted;

private:
    // Works in their order; under the mutex.
    struct Queue {
        Job* head = nullptr;
        Job** tail = &head;
        std::size_t count = 0;
        void push(Job& job);
        // A work that is whole comes alone.
        Job* pop(int most);
    };
    // Brings a word from another thread; outlives the engine while it is on its way.
    struct Wake : Node {
        PostgresEngine* engine;
        explicit Wake(PostgresEngine* of);
    };

    void refuse_queued(std::string_view why);

    const PostgresOptions options_;
    RunLoop& loop_;
    const std::unique_ptr<Names> system_names_;
    mutable std::mutex mutex_;
    Queue writes_, reads_, stale_reads_;
    Wake* wake_;
    bool wake_posted_ = false;
    bool reads_next_ = false;
    int primaries_ = 0, replicas_ = 0; // connected sessions
    int waiting_ = 0;                  // of these, for locks
    bool told_down_ = false;
    std::atomic<bool> healthy_{true};
    StoreCounters published_;
    Gate work_;
    std::vector<std::unique_ptr<PostgresSession>> sessions_;
    Nursery lives_;
};

} // namespace urr
