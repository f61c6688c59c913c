#include "tests/engines/worker_world.hpp"

#include "libs/contract/evidence/record.hpp"
#include "libs/messaging/sqs_queue.hpp"
#include "libs/messaging/table_queue.hpp"
#include "services/worker/store/schema.hpp"

namespace urr {

namespace {

const Migration store_tables[] = {{1, "shared", shared_tables}, {2, "evidence", evidence_tables}};
const Migration works_tables[] = {{1, "works", work_queue_tables}};

constexpr auto seal_work = [](Tx& tx, const std::vector<EvidenceFact>& facts) {
    return seal_evidence(tx, facts);
};
constexpr auto renew_work = [](Tx& tx, EvidenceGeneration fresh) {
    return renew_evidence(tx, fresh);
};
constexpr Statement set_count{"UPDATE evidence_counts SET next = ?2 WHERE event = ?1"};
constexpr Statement drop_later{"DELETE FROM evidence_batches WHERE event = ?1 AND first >= ?2"};
constexpr auto restore_work = [](Tx& tx, EventId event, std::int64_t next) -> Task<Result<bool>> {
    TRY(co_await tx.run(set_count, {event, next}));
    TRY(co_await tx.run(drop_later, {event, next}));
    co_return true;
};
constexpr Statement count_unsent{"SELECT count(*) FROM evidence_unsent"};
constexpr auto unsent_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(count_unsent)).integer(0, 0);
};

EvidenceRecord fact(EventId event, int number) {
    EvidenceRecord record;
    record.id.bytes = {0x90, event.bytes[1], (unsigned char)(number >> 8), (unsigned char)number};
    record.kind = evidence::held;
    record.at = Instant{1'800'000'000'000'000 + number};
    record.account = AccountId{{0xa0, (unsigned char)number}};
    record.amount = Won{number};
    return record;
}

} // namespace

Task<Result<void>> Between::send(Context context, std::vector<Work> works) {
    if (loses) std::erase_if(works, loses);
    if (works.empty()) co_return Result<void>{};
    co_return co_await to_.send(context, std::move(works));
}

Task<Result<void>> Between::done(Context context, std::string receipt) {
    if (deaths > 0) {
        --deaths;
        co_return fail(Code::UNAVAILABLE);
    }
    auto done = co_await to_.done(context, std::move(receipt));
    if (done) ++acknowledged;
    co_return done;
}

Task<Result<std::vector<Taken>>> Between::receive(Context context, int most, Duration wait) {
    auto taken = co_await to_.receive(context, most, wait);
    if (taken) given += int(taken->size());
    co_return taken;
}

bool StandingLedger::submit(Job& job, bool reading) {
    if (!stands_ || reading) return to_.submit(job, reading);
    waiting_.push_back(&job);
    return true;
}

void StandingLedger::go_on() {
    stands_ = false;
    for (Job* job : std::exchange(waiting_, {})) ASSERT_TRUE(to_.submit(*job, false));
}

WorkerWorld::WorkerWorld(bool on_servers) {
    using Kind = engines::TestStore::Kind;
    options = {.wait = seconds(1),
               .again = seconds(1),
               .visible = {},
               .looked = milliseconds(100),
               .away = milliseconds(100)};
    if (on_servers) sqs_ = std::make_unique<AwsServer>("sqs", "URR_TEST_SQS");
    end_ = sqs_ ? std::make_unique<AwsEnd>(*sqs_, "sqs")
                : std::make_unique<AwsEnd>(aws::Endpoint{}, aws::Credentials{}, "none");
    Loop::Enter in(&end_->loop());
    store_ = std::make_unique<engines::TestStore>(on_servers ? Kind::postgres : Kind::embedded,
                                                  end_->loop(), store_tables);
    open_ledger();
    standing_ = std::make_unique<StandingLedger>(*ledger_);
    open_queue(seconds(2));
}

void WorkerWorld::open_queue(Duration visible) {
    const QueueRules rules{.visible_again = visible, .times_max = 3};
    options.visible = visible;
    if (sqs_) {
        const std::string mark = std::to_string(random_.next());
        queue_ = make_sqs_queue(
            end_->client(),
            must(end_->run(create_sqs_queues(end_->within(seconds(60)), end_->client(),
                                             {mark + ".fifo", mark + "-dlq.fifo"}, rules))));
    } else {
        if (!works_)
            works_ = std::make_unique<engines::TestStore>(engines::TestStore::Kind::embedded,
                                                          end_->loop(), works_tables);
        queue_ = make_table_queue(works_->pool(), random_, rules);
    }
    between = std::make_unique<Between>(*queue_);
}

void WorkerWorld::open_ledger() {
    using Kind = engines::TestStore::Kind;
    if (!sqs_) {
        ledger_file_ =
            std::make_unique<engines::TestStore>(Kind::embedded, end_->loop(), worker::migrations);
        ledger_ = &ledger_file_->pool();
        return;
    }
    const auto& server = engines::PostgresServer::get();
    StoreUsers users;
    users.writer = "evidence";
    users.append_only = worker::append_only_tables;
    must(migrate_postgres(server.url("postgres", database_name()), worker::migrations, users,
                          worker::ledger_schema));
    PostgresOptions of;
    of.url = server.url("evidence", database_name());
    of.random = &random_;
    ledger_on_postgres_ = must(open_postgres(of, end_->loop()));
    ledger_ = ledger_on_postgres_.get();
}

WorkerWorld::~WorkerWorld() {
    Loop::Enter in(&end_->loop());
    workers_.clear();
    standing_.reset();
    ledger_on_postgres_.reset();
    store_.reset();
    ledger_file_.reset();
    works_.reset();
}

void WorkerWorld::tamper(const std::string& sql) {
    if (sqs_)
        must(run_postgres_script(engines::PostgresServer::get().url("postgres", database_name()),
                                 "SET search_path = evidence; " + sql));
    else
        must(dynamic_cast<SqliteDatabase&>(*ledger_).run_script(sql));
}

void WorkerWorld::tell_again(EventId event, int from, int count) {
    std::vector<EvidenceFact> facts;
    for (int i = 0; i < count; ++i) facts.push_back({event, to_json(fact(event, from + i))});
    static constexpr auto seal = [](Database& store,
                                    std::vector<EvidenceFact> all) -> Task<Result<bool>> {
        co_return co_await store.transact(Context{}, seal_work, std::move(all));
    };
    must(end_->run(seal(store(), std::move(facts))));
}

void WorkerWorld::tell(EventId event, int count) {
    tell_again(event, told_[event] + 1, count);
    told_[event] += count;
}

std::string WorkerWorld::body(EventId event, std::int64_t first, int count, int facts_from,
                              unsigned char generation) const {
    std::string text = to_json(EvidenceHeader{1, event, "ticket", {{generation}}, first, count});
    for (int i = 0; i < count; ++i) text += "\n" + to_json(fact(event, facts_from + i));
    return text;
}

bool WorkerWorld::run(std::function<bool()> until, int workers) {
    const Instant end = end_->loop().now() + minutes(3);
    EvidencePublisher publisher(store(), *between, clock_, random_, {"ticket", "one"}, log);
    workers_.clear();
    for (int i = 0; i < workers; ++i)
        workers_.push_back(
            std::make_unique<worker::Service>(worker::Parts{*between, *standing_, log, options}));
    service_ = workers_.front().get();
    Nursery jobs;
    {
        Loop::Enter in(&end_->loop());
        jobs.spawn(publisher.run());
        for (auto& one : workers_) jobs.spawn(one->run());
    }
    static constexpr auto pause = []() -> Task<> {
        (void)co_await sleep(Context{}, milliseconds(20));
    };
    bool held = false;
    while (!(held = until()) && end_->loop().now() < end) end_->run_task(pause());
    Loop::Enter in(&end_->loop());
    jobs.clear();
    return held;
}

// -1: the ledger is away.
std::int64_t WorkerWorld::length(EventId event) {
    const auto chains = end_->run(worker::find_chains(end_->within(seconds(60)), ledger()));
    if (!chains) return -1;
    for (const worker::Chain& chain : *chains)
        if (chain.event == event) return chain.records;
    return 0;
}

worker::Walk WorkerWorld::walk(EventId event, std::optional<worker::NotedHead> noted) {
    for (const worker::Chain& chain :
         must(end_->run(worker::find_chains(end_->within(seconds(60)), ledger()))))
        if (chain.event == event)
            return must(
                end_->run(worker::walk_chain(end_->within(seconds(60)), ledger(), chain, noted)));
    return {};
}

void WorkerWorld::restore_counts(EventId event, std::int64_t next) {
    static constexpr auto ask = [](Database& store, EventId of,
                                   std::int64_t to) -> Task<Result<bool>> {
        co_return co_await store.transact(Context{}, restore_work, of, to);
    };
    must(end_->run(ask(store(), event, next)));
}

std::int64_t WorkerWorld::renew() {
    static constexpr auto ask = [](Database& store,
                                   EvidenceGeneration fresh) -> Task<Result<std::int64_t>> {
        co_return co_await store.transact(Context{}, renew_work, fresh);
    };
    return must(end_->run(ask(store(), EvidenceGeneration::make(clock_.now(), random_))));
}

std::int64_t WorkerWorld::unsent() {
    static constexpr auto ask = [](Database& store) -> Task<Result<std::int64_t>> {
        co_return co_await store.read(Context{}, unsent_work);
    };
    return must(end_->run(ask(store())));
}

} // namespace urr
