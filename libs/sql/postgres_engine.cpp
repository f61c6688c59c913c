#include "libs/sql/postgres_engine.hpp"

#include <algorithm>

#include "libs/sql/postgres_session.hpp"

namespace urr {

void PostgresEngine::Queue::push(Job& job) {
    job.link = nullptr;
    *tail = &job;
    tail = &job.link;
    ++count;
}

Job* PostgresEngine::Queue::pop(int most) {
    if (!head) return nullptr;
    Job* first = head;
    Job* last = head;
    int taken = 1;
    while (last->link && taken < most && !first->manner.whole && !last->link->manner.whole) {
        last = last->link;
        ++taken;
    }
    head = std::exchange(last->link, nullptr);
    if (!head) tail = &head;
    count -= std::size_t(taken);
    return first;
}

PostgresEngine::Wake::Wake(PostgresEngine* of)
    : Node([](Node& node) {
          Wake& wake = static_cast<Wake&>(node);
          if (!wake.engine) {
              delete &wake;
              return;
          }
          {
              std::lock_guard guard(wake.engine->mutex_);
              wake.engine->wake_posted_ = false;
          }
          wake.engine->work_.release();
      }),
      engine(of) {}

PostgresEngine::PostgresEngine(const PostgresOptions& options, RunLoop& loop)
    : options_(options), loop_(loop), system_names_(system_names(loop)), wake_(new Wake(this)) {}

PostgresEngine::~PostgresEngine() {
    Loop::Enter in(&loop_);
    lives_.clear();
    sessions_.clear();
    for (Queue* queue : {&writes_, &reads_, &stale_reads_})
        for (Job* job = queue->head; job;) {
            Job* next = job->link;
            job->release();
            job = next;
        }
    wake_->engine = nullptr;
    if (!wake_posted_) delete wake_;
}

void PostgresEngine::begin() {
    Loop::Enter in(&loop_);
    for (int i = 0; i < options_.connections; ++i)
        sessions_.push_back(std::make_unique<PostgresSession>(*this, Server::primary));
    if (!options_.replica_url.empty())
        sessions_.push_back(std::make_unique<PostgresSession>(*this, Server::replica));
    for (const auto& session : sessions_) lives_.spawn(session->live());
}

bool PostgresEngine::submit(Job& job, bool reading) {
    if (!healthy()) return false;
    std::lock_guard guard(mutex_);
    Queue& queue = !reading ? writes_ : job.manner.staleness.us > 0 ? stale_reads_ : reads_;
    if (queue.count >= options_.queued_max) return false;
    queue.push(job);
    if (!std::exchange(wake_posted_, true)) loop_.post(*wake_);
    return true;
}

StoreCounters PostgresEngine::counters() const {
    std::lock_guard guard(mutex_);
    return published_;
}

void PostgresEngine::publish() {
    counted.clock_jumps = time.jumps();
    counted.clock_was_set_back = time.was_set_back();
    std::lock_guard guard(mutex_);
    published_ = counted;
}

PostgresEngine::Batch PostgresEngine::take(Server server, Instant fresh_as_of) {
    std::lock_guard guard(mutex_);
    if (server == Server::replica) {
        while (Job* head = stale_reads_.head) {
            if (loop_.now() - fresh_as_of <= head->manner.staleness)
                return {stale_reads_.pop(1), true};
            reads_.push(*stale_reads_.pop(1)); // too fresh a wish: the primary's
            work_.release();
        }
        return {};
    }
    if (replicas_ == 0)
        while (Job* job = stale_reads_.pop(1)) reads_.push(*job);
    // Reads and writes in turn, where there are both.
    const bool reading = reads_.head && (reads_next_ || !writes_.head);
    reads_next_ = !reading;
    return {(reading ? reads_ : writes_).pop(options_.batch_max), reading};
}

Task<> PostgresEngine::wait(Instant until) {
    Context context;
    context.deadline = until;
    (void)co_await work_.wait(context);
}

void PostgresEngine::answer(Job& job) {
    job.link = nullptr;
    if (job.home == &loop_)
        loop_.soon(job);
    else
        job.home->post(job);
}

void PostgresEngine::give_to_primary(Job& job) {
    job.state.store(Job::queued);
    std::lock_guard guard(mutex_);
    reads_.push(job);
    work_.release();
}

bool PostgresEngine::may_wait() {
    if (waiting_ >= std::max(1, options_.connections - 1)) return false;
    ++waiting_;
    return true;
}

void PostgresEngine::connected(Server server) {
    ++(server == Server::primary ? primaries_ : replicas_);
    if (server != Server::primary) return;
    healthy_.store(true, std::memory_order_relaxed);
    if (std::exchange(told_down_, false) && options_.told) options_.told("store_back", "");
}

void PostgresEngine::disconnected(Server server) {
    --(server == Server::primary ? primaries_ : replicas_);
    ++counted.reconnects;
    publish();
    work_.release(); // what a replica leaves is the primary's
}

void PostgresEngine::not_connected(Server server, std::string_view why) {
    if (server != Server::primary || primaries_ > 0) return;
    healthy_.store(false, std::memory_order_relaxed);
    refuse_queued(why);
    if (!std::exchange(told_down_, true) && options_.told) options_.told("store_away", why);
}

void PostgresEngine::refuse_queued(std::string_view why) {
    std::vector<Job*> jobs;
    {
        std::lock_guard guard(mutex_);
        for (Queue* queue : {&writes_, &reads_, &stale_reads_})
            while (Job* job = queue->pop(1)) jobs.push_back(job);
    }
    for (Job* job : jobs) {
        std::uint8_t expected = Job::queued;
        if (job->state.compare_exchange_strong(expected, Job::taken))
            job->settle(Error(Code::UNAVAILABLE, std::string(why)).retry_after(1));
        answer(*job);
    }
}

Result<std::unique_ptr<Database>> open_postgres(const PostgresOptions& options, RunLoop& loop) {
    TRY_PLAIN(check_postgres_url(options.url));
    if (!options.replica_url.empty()) TRY_PLAIN(check_postgres_url(options.replica_url));
    auto engine = std::make_unique<PostgresEngine>(options, loop);
    engine->begin();
    return engine;
}

} // namespace urr
