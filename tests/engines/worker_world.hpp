// For the tests of the way to the ledger: a service's store with its publisher, the work queue, and
// any number of workers, on embedded engines or on PostgreSQL and SQS. What stands between them can
// lose messages and acknowledgements.
//
//     world.tell(event, 30);                       // seals records 1 … 30 of the event
//     world.run([&] { return world.length(event) == 30; });
//
// One loop; gone with the test.
#pragma once
#include <functional>

#include "libs/contract/evidence/outbox.hpp"
#include "libs/contract/evidence/publisher.hpp"
#include "services/worker/service.hpp"
#include "services/worker/verify.hpp"
#include "tests/engines/aws_server.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr {

// The work queue, with accidents.
class Between final : public WorkQueue {
public:
    explicit Between(WorkQueue& to) : to_(to) {}
    std::function<bool(const Work&)> loses; // on its way to the queue, told as sent
    int deaths = 0;                         // acknowledgements that are still to be lost
    int given = 0;                          // messages, to anybody and however often
    int acknowledged = 0;

    Task<Result<void>> send(Context context, std::vector<Work> works) override;
    Task<Result<std::vector<Taken>>> receive(Context context, int most, Duration wait) override;
    Task<Result<void>> done(Context context, std::string receipt) override;
    Task<Result<void>> again(Context context, std::string receipt, Duration after) override {
        return to_.again(context, std::move(receipt), after);
    }
    Task<Result<std::int64_t>> aside(Context context) override { return to_.aside(context); }
    Task<Result<std::int64_t>> redrive(Context context) override { return to_.redrive(context); }

private:
    WorkQueue& to_;
};

// The ledger, which can stand still: what is to be written is neither done nor refused.
class StandingLedger final : public Database {
public:
    explicit StandingLedger(Database& to) : to_(to) {}
    ~StandingLedger() override {
        for (Job* job : waiting_) job->release();
    }
    void stand() { stands_ = true; }
    void go_on();

    bool submit(Job& job, bool reading) override;
    bool healthy() const override { return to_.healthy(); }
    StoreCounters counters() const override { return to_.counters(); }
    bool takes_arrays() const override { return to_.takes_arrays(); }

private:
    Database& to_;
    bool stands_ = false;
    std::vector<Job*> waiting_;
};

class TestLines final : public Log {
public:
    void write(Level, std::string_view what, std::initializer_list<LogField>,
               const Trace*) override {
        lines.emplace_back(what);
    }
    bool has(std::string_view what) const { return std::ranges::find(lines, what) != lines.end(); }
    std::vector<std::string> lines;
};

class WorkerWorld {
public:
    explicit WorkerWorld(bool on_servers);
    ~WorkerWorld();

    bool on_servers() const { return sqs_ != nullptr; }
    AwsServer& sqs() { return *sqs_; }
    AwsEnd& end() { return *end_; }
    Database& store() { return store_->pool(); }
    Database& ledger() { return *ledger_; }
    // What the workers write to.
    StandingLedger& workers_ledger() { return *standing_; }
    // In the ledger's database, as its owner: for tampering. One statement for each engine.
    void tamper(const std::string& sql);
    const std::string& database_name() const { return store_->database_name(); }

    // Another work queue, which keeps a message out of others' hands for that long; two seconds
    // where a test does not say.
    void open_queue(Duration visible);
    EventId event(unsigned char number) const { return {{0xe0, number}}; }
    // The next `count` records of the event.
    void tell(EventId event, int count);
    // The same facts once more, with new numbers.
    void tell_again(EventId event, int from, int count);
    void send(Work work) { must(end_->run(queue_->send(end_->within(seconds(20)), {work}))); }
    std::string body(EventId event, std::int64_t first, int count, int facts_from,
                     unsigned char generation = 1) const;

    // A publisher and `workers` until the condition holds; then they are ended at once, as by a
    // kill. False: it did not in three minutes.
    bool run(std::function<bool()> until, int workers = 2);
    std::int64_t length(EventId event);
    worker::Walk walk(EventId event, std::optional<worker::NotedHead> noted = {});
    std::int64_t aside() { return must(end_->run(queue_->aside(end_->within(seconds(20))))); }
    std::int64_t redrive() { return must(end_->run(queue_->redrive(end_->within(seconds(60))))); }
    std::int64_t unsent();
    // The service's store as a backup had it, when `next` was the event's next number.
    void restore_counts(EventId event, std::int64_t next);
    std::int64_t renew();
    const worker::Metrics& metrics() const { return service_->metrics(); }

    TestLines log;
    std::unique_ptr<Between> between;
    worker::Options options;

private:
    void open_ledger();

    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<AwsServer> sqs_;
    std::unique_ptr<AwsEnd> end_;
    std::unique_ptr<engines::TestStore> store_, ledger_file_, works_;
    std::unique_ptr<Database> ledger_on_postgres_;
    Database* ledger_ = nullptr;
    std::unique_ptr<StandingLedger> standing_;
    std::unique_ptr<WorkQueue> queue_;
    std::vector<std::unique_ptr<worker::Service>> workers_;
    worker::Service* service_ = nullptr; // the first
    std::map<EventId, int> told_;
};

} // namespace urr
