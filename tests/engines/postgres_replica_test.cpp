// Reads that may be old, from a replica that follows, lags, stands still, refuses, or becomes the
// primary.
#include <signal.h>

#include <optional>
#include <thread>

#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr Duration staleness = milliseconds(1500);

constexpr Statement add{"INSERT INTO numbers (name, n) VALUES ('n', 1) "
                        "ON CONFLICT (name) DO UPDATE SET n = numbers.n + 1 RETURNING n"};
constexpr Statement look{"SELECT n, pg_is_in_recovery() FROM numbers WHERE name = 'n'"};
constexpr auto add_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(add)).integer(0, 0);
};
struct Seen {
    std::int64_t n = 0;
    bool at_replica = false;
};
constexpr auto look_work = [](Tx& tx) -> Task<Result<Seen>> {
    const Rows rows = TRY(co_await tx.run(look));
    co_return Seen{rows.empty() ? 0 : rows.integer(0, 0), !rows.empty() && rows.boolean(0, 1)};
};

struct WithReplica : testing::Test {
    const PostgresServer& server = PostgresServer::get();
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, test_tables());
    int at_primary = 0, at_replica = 0;

    WithReplica() {
        store->options.replica_url =
            server.url("postgres", store->database_name(), server.replica_port());
    }
    ~WithReplica() override { store.reset(); }

    Database& pool() { return store->pool(); }
    void at_the_replica(const std::string& sql) {
        must(run_postgres_script(server.url("postgres", "postgres", server.replica_port()), sql));
    }
    Task<Seen> read() {
        Context context;
        context.deadline = loop->now() + seconds(30);
        const Seen seen = must(co_await pool().read_within(staleness, context, look_work));
        ++(seen.at_replica ? at_replica : at_primary);
        co_return seen;
    }
    // Writes and reads until the replica answers one, or does not any more.
    Task<> until_at_replica(bool wanted) {
        for (int tries = 0; tries < 6'000; ++tries) { // a minute
            must(co_await pool().transact(Context{}, add_work));
            if ((co_await read()).at_replica == wanted) co_return;
            (void)co_await sleep(Context{}, milliseconds(10));
        }
        ADD_FAILURE() << (wanted ? "the replica answered nothing" : "it went on answering");
    }
    // The replica stands where it is, and what it shows is older than it may be: until it is
    // resumed no read is its own any more.
    Task<> leave_the_replica_behind() {
        at_the_replica("SELECT pg_wal_replay_pause()");
        must(co_await pool().transact(Context{}, add_work));
        (void)co_await sleep(Context{}, staleness + milliseconds(10));
        co_await until_at_replica(false);
    }
};

// What was committed so long before a read was begun is seen by it.
Task<> none_is_older(WithReplica& t) {
    std::vector<std::pair<Instant, std::int64_t>> committed;
    const auto go_on_for = [&](Duration duration) -> Task<> {
        const Instant end = t.loop->now() + duration;
        while (t.loop->now() < end) {
            const auto n = must(co_await t.pool().transact(Context{}, add_work));
            committed.emplace_back(t.loop->now(), n);
            const Instant begun = t.loop->now();
            const Seen seen = co_await t.read();
            for (const auto& [at, value] : committed)
                if (at <= begun - staleness) EXPECT_GE(seen.n, value);
            (void)co_await sleep(Context{}, milliseconds(5));
        }
    };
    co_await t.until_at_replica(true);
    const int before = t.at_replica;
    for (int i = 0; i < 20 && t.at_replica == before; ++i) co_await go_on_for(milliseconds(2'500));
    EXPECT_GT(t.at_replica, before);
    t.at_the_replica("SELECT pg_wal_replay_pause()");
    co_await go_on_for(milliseconds(3'500));
    EXPECT_FALSE((co_await t.read()).at_replica);
    t.at_the_replica("SELECT pg_wal_replay_resume()");
    co_await t.until_at_replica(true);
}
TEST_F(WithReplica, a_read_is_never_older_than_it_may_be) { run_on(*loop, none_is_older(*this)); }

// Many at once: nobody waits for the replica's next turn.
Task<> lags(WithReplica& t) {
    co_await t.until_at_replica(true);
    co_await t.leave_the_replica_behind();
    static constexpr auto one = [](WithReplica& in) -> Task<> {
        EXPECT_FALSE((co_await in.read()).at_replica);
    };
    Nursery nursery;
    for (int i = 0; i < 20; ++i) nursery.spawn(one(t));
    must(co_await nursery.drained(Context{}));
    t.at_the_replica("SELECT pg_wal_replay_resume()");
}
TEST_F(WithReplica, that_lags_leaves_a_crowd_of_reads_to_the_primary) {
    run_on(*loop, lags(*this));
}

Task<> stands_still(WithReplica& t) {
    co_await t.until_at_replica(true);
    const auto processes = t.server.processes(true);
    for (const pid_t process : processes) ::kill(process, SIGSTOP);
    for (int i = 0; i < 30; ++i) EXPECT_FALSE((co_await t.read()).at_replica);
    for (const pid_t process : processes) ::kill(process, SIGCONT);
    co_await t.until_at_replica(true);
}
TEST_F(WithReplica, that_stands_still_is_left_to_itself) { run_on(*loop, stands_still(*this)); }

// At the replica it lasts nearly as long as a replica is waited for.
constexpr Statement slow_there{
    "SELECT count(*), pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() "
    "THEN (SELECT count(*) FROM pg_sleep(0.8)) ELSE 0 END FROM numbers"};
constexpr auto slow_work = [](Tx& tx) -> Task<Result<Seen>> {
    const Rows rows = TRY(co_await tx.run(slow_there));
    co_return Seen{rows.integer(0, 0), rows.boolean(0, 1)};
};
// The primary cleans away what the replica's snapshot still shows: the replica ends the read.
// False: the replica was not asked, or had answered before the primary came to that.
Task<bool> is_met(WithReplica& t) {
    static constexpr Statement sleeping{
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"};
    static constexpr auto read = [](WithReplica& in, std::optional<Seen>& seen) -> Task<> {
        seen = must(co_await in.pool().read_within(staleness, Context{}, slow_work));
    };
    const std::string replica = t.server.url("postgres", "postgres", t.server.replica_port());
    co_await t.until_at_replica(true);
    co_await t.until_at_replica(true);
    std::optional<Seen> seen;
    Nursery nursery;
    nursery.spawn(read(t, seen));
    bool is_there = false;
    while (!seen && !is_there) {
        (void)co_await sleep(Context{}, milliseconds(5));
        is_there = !must(ask_postgres(replica, sleeping)).empty();
    }
    t.server.run("DELETE FROM numbers", t.store->database_name());
    t.server.run("VACUUM (TRUNCATE false) numbers", t.store->database_name());
    must(co_await nursery.drained(Context{}));
    co_return is_there && !seen->at_replica && seen->n == 0;
}
Task<> is_in_the_way(WithReplica& t) {
    for (int tries = 0; tries < 40; ++tries)
        if (co_await is_met(t)) co_return;
    ADD_FAILURE() << "the replica ended no read";
}
TEST_F(WithReplica, that_ends_a_read_in_its_way_leaves_it_to_the_primary) {
    at_the_replica("ALTER SYSTEM SET max_standby_streaming_delay = 0");
    at_the_replica("SELECT pg_reload_conf()");
    run_on(*loop, is_in_the_way(*this));
    at_the_replica("ALTER SYSTEM RESET max_standby_streaming_delay");
    at_the_replica("SELECT pg_reload_conf()");
}

// The primary crashes and its standby takes over; commits waited for that one.
TEST(Failover, to_the_standby_keeps_what_was_acknowledged_and_is_found) {
    const OwnServer server("0 0", "SYNCHRONOUS=1");
    const std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    TestStore store(TestStore::Kind::postgres, *loop, test_tables(), &*server);
    std::string& url = store.options.url;
    store.options.replica_url =
        server->url("postgres", store.database_name(), server->replica_port());
    const std::string primary = "127.0.0.1:" + std::to_string(server->port());
    url.replace(url.find(primary), primary.size(),
                primary + ",127.0.0.1:" + std::to_string(server->replica_port()));
    static constexpr auto through = [](TestStore& in, const PostgresServer& at) -> Task<> {
        std::thread trouble;
        std::int64_t acknowledged = 0, unknown = 0, refused = 0;
        for (int i = 0; i < 100 || refused + unknown == 0 || i % 100 != 0; ++i) {
            const auto end = co_await in.pool().transact(Context{}, add_work);
            if (i == 50)
                trouble = std::thread([&at] {
                    ::kill(at.processes().front(), SIGQUIT);
                    at.script("promote");
                });
            ++(end                                           ? acknowledged
               : end.error().code() == Code::OUTCOME_UNKNOWN ? unknown
                                                             : refused);
            (void)co_await sleep(Context{}, milliseconds(end ? 2 : 100));
        }
        trouble.join();
        Result<std::int64_t> end = fail(Code::UNAVAILABLE);
        for (int tries = 0; !end && tries < 1'200; ++tries) { // a minute
            end = co_await in.pool().transact(Context{}, add_work);
            if (!end) (void)co_await sleep(Context{}, milliseconds(50));
        }
        EXPECT_GE(must(std::move(end)), acknowledged + 1);
        EXPECT_LE(must(co_await in.pool().read(Context{}, look_work)).n,
                  acknowledged + unknown + 1);
        must(co_await in.pool().read_within(staleness, Context{}, look_work));
    };
    run_on(*loop, through(store, *server));
    store.close_pools();
}

} // namespace
} // namespace urr::engines
