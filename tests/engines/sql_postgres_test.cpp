// What PostgreSQL alone can do to a store: cut connections, restart, stand still, have another
// clock; and who may see what.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr Statement add{"INSERT INTO numbers (name, n) VALUES (?1, 1) "
                        "ON CONFLICT (name) DO UPDATE SET n = numbers.n + 1"};
constexpr Statement find{"SELECT n FROM numbers WHERE name = ?1"};
constexpr Statement slow{"SELECT 1 FROM pg_sleep(60)"}; // until it is cut
constexpr auto add_work = [](Tx& tx, const std::string& name) -> Task<Result<Instant>> {
    TRY(co_await tx.run(add, {name}));
    co_return tx.now;
};
constexpr auto slow_work = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name}));
    TRY(co_await tx.run(slow));
    co_return true;
};
constexpr auto find_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(find, {name}));
    co_return rows.empty() ? 0 : rows.integer(0, 0);
};

// COMMIT takes so many seconds.
std::string commits_take(const char* time) {
    return "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(" +
           std::string(time) +
           "); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON numbers "
           "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()";
}

struct Postgres : testing::Test {
    const PostgresServer& server = PostgresServer::get();
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, test_tables());
    ~Postgres() override { store.reset(); }

    Database& pool() { return store->pool(); }
    // A statement may last as long as the test wants.
    void be_patient() {
        store->options.statement_timeout = store->options.answer_timeout = minutes(2);
    }
    // Until the store takes works again: the pool's connections are new ones.
    Task<> recover() {
        for (int tries = 0; tries < 1'200; ++tries) { // a minute
            if (co_await pool().transact(Context{}, add_work, std::string("recovered"))) co_return;
            (void)co_await sleep(Context{}, milliseconds(50));
        }
        ADD_FAILURE() << "the store did not come back";
    }
    Task<std::int64_t> number(std::string name) {
        co_return must(co_await pool().read(Context{}, find_work, std::move(name)));
    }
};

constexpr Statement cut_sleeping{"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                 "WHERE wait_event = 'PgSleep' AND datname LIKE 'test%'"};
// As soon as the server has come to the statement that sleeps.
Task<> cut_when_it_sleeps(Postgres& t) {
    for (int tries = 0; tries < 2'000; ++tries) {
        (void)co_await sleep(Context{}, milliseconds(20));
        if (!must(ask_postgres(t.server.url("postgres", "postgres"), cut_sleeping)).empty())
            co_return;
    }
    ADD_FAILURE() << "nobody slept";
}

Task<> cut_before_commit(Postgres& t) {
    Nursery nursery;
    nursery.spawn(cut_when_it_sleeps(t));
    const auto end = co_await t.pool().transact(Context{}, slow_work, std::string("cut"));
    EXPECT_EQ(end ? Code::OUTCOME_UNKNOWN : end.error().code(), Code::UNAVAILABLE);
    co_await t.recover();
    EXPECT_EQ(co_await t.number("cut"), 0);
}
TEST_F(Postgres, a_connection_cut_before_commit_leaves_nothing_and_says_so) {
    be_patient();
    run_on(*loop, cut_before_commit(*this));
}

Task<> give_up_at_commit(Postgres& t) {
    const auto end = co_await t.pool().transact(Context{}, add_work, std::string("committed"));
    EXPECT_EQ(end ? Code::UNAVAILABLE : end.error().code(), Code::OUTCOME_UNKNOWN);
    for (int tries = 0; tries < 1'200 && co_await t.number("committed") == 0; ++tries)
        (void)co_await sleep(Context{}, milliseconds(50));
    EXPECT_EQ(co_await t.number("committed"), 1);
}
TEST_F(Postgres, a_commit_whose_answer_is_lost_is_unknown_though_it_took_place) {
    server.run(commits_take("3.5"), store->database_name());
    store->options.answer_timeout = seconds(2);
    run_on(*loop, give_up_at_commit(*this));
}

// The same where the commit travels with the statement.
constexpr auto add_and_commit = [](Tx& tx, const std::string& name) -> Task<Result<Instant>> {
    Query adding = tx.run(add, {name});
    TRY(co_await adding.and_commit());
    co_return tx.now;
};
Task<> give_up_at_the_commit_that_travelled_along(Postgres& t, bool whole) {
    const std::string name = "along";
    const auto end = whole ? co_await t.pool().transact_whole(Context{}, add_and_commit, name)
                           : co_await t.pool().transact(Context{}, add_and_commit, name);
    EXPECT_EQ(end ? Code::UNAVAILABLE : end.error().code(), Code::OUTCOME_UNKNOWN);
    for (int tries = 0; tries < 1'200 && co_await t.number("along") == 0; ++tries)
        (void)co_await sleep(Context{}, milliseconds(50));
    EXPECT_EQ(co_await t.number("along"), 1);
}
TEST_F(Postgres, a_commit_that_travelled_along_is_unknown_when_its_answer_is_lost) {
    server.run(commits_take("3.5"), store->database_name());
    store->options.answer_timeout = seconds(2);
    run_on(*loop, give_up_at_the_commit_that_travelled_along(*this, true));
}
TEST_F(Postgres, a_commit_that_travelled_with_a_work_alone_is_unknown_when_its_answer_is_lost) {
    server.run(commits_take("3.5"), store->database_name());
    store->options.answer_timeout = seconds(2);
    run_on(*loop, give_up_at_the_commit_that_travelled_along(*this, false));
}

constexpr Statement add_first{"INSERT INTO numbers (name, n) VALUES (?1, 1)"};
constexpr auto add_twice_and_commit = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    Query adding = tx.run(add_first, {name}), again = tx.run(add_first, {name});
    TRY(co_await adding.with(again).and_commit());
    co_return true;
};
Task<> refuse_with_commit(Postgres& t) {
    const auto end =
        co_await t.pool().transact_whole(Context{}, add_twice_and_commit, std::string("twice"));
    EXPECT_EQ(end ? Code::UNAVAILABLE : end.error().code(), Code::CONFLICT);
    EXPECT_EQ(co_await t.number("twice"), 0);
    const auto single =
        co_await t.pool().transact(Context{}, add_twice_and_commit, std::string("twice"));
    EXPECT_EQ(single ? Code::UNAVAILABLE : single.error().code(), Code::CONFLICT);
    EXPECT_EQ(co_await t.number("twice"), 0);
    must(co_await t.pool().transact_whole(Context{}, add_and_commit, std::string("twice")));
    must(co_await t.pool().transact(Context{}, add_and_commit, std::string("twice")));
    EXPECT_EQ(co_await t.number("twice"), 2);
}
TEST_F(Postgres, a_commit_that_travelled_along_does_not_take_place_behind_a_failure) {
    run_on(*loop, refuse_with_commit(*this));
}

Task<> cut_at_commit(Postgres& t) {
    Nursery nursery;
    nursery.spawn(cut_when_it_sleeps(t));
    const auto end = co_await t.pool().transact(Context{}, add_work, std::string("cut"));
    EXPECT_EQ(end ? Code::UNAVAILABLE : end.error().code(), Code::OUTCOME_UNKNOWN);
    EXPECT_EQ(co_await t.number("cut"), 0);
}
TEST_F(Postgres, a_commit_whose_connection_is_cut_is_unknown_though_it_did_not_take_place) {
    server.run(commits_take("60"), store->database_name()); // until it is cut
    be_patient();
    run_on(*loop, cut_at_commit(*this));
}

// Works go on while `trouble` happens in a thread of its own; what was acknowledged is there.
Task<> work_through(Postgres& t, void (*trouble)(Postgres&)) {
    co_await t.recover();
    must(co_await t.pool().transact(Context{}, add_work, std::string("counted")));
    std::atomic<bool> over{false};
    std::thread thread([&] {
        trouble(t);
        over = true;
    });
    int done = 1, unknown = 0, refused = 0;
    for (int rest = 20; rest > 0; rest -= over ? 1 : 0) {
        const auto end = co_await t.pool().transact(Context{}, add_work, std::string("counted"));
        ++(end ? done : end.error().code() == Code::OUTCOME_UNKNOWN ? unknown : refused);
        if (!end) (void)co_await sleep(Context{}, milliseconds(20));
    }
    thread.join();
    co_await t.recover();
    const std::int64_t there = co_await t.number("counted");
    EXPECT_GE(there, done);
    EXPECT_LE(there, done + unknown);
    EXPECT_GT(refused + unknown, 0) << "the trouble was not met";
}
TEST_F(Postgres, a_server_that_crashes_and_returns_has_all_that_was_acknowledged) {
    run_on(*loop, work_through(*this, [](Postgres& t) { t.server.script("restart"); }));
}
TEST_F(Postgres, a_server_that_stands_still_is_left_and_found_again) {
    store->options.answer_timeout = seconds(2);
    store->options.connect_timeout = seconds(2);
    run_on(*loop, work_through(*this, [](Postgres& t) {
        const auto processes = t.server.processes();
        for (const pid_t process : processes) ::kill(process, SIGSTOP);
        std::this_thread::sleep_for(std::chrono::seconds(6));
        for (const pid_t process : processes) ::kill(process, SIGCONT);
    }));
}

// A clock of the server that a test can set: found before the real one.
constexpr const char* false_clock =
    "CREATE TABLE ahead (s BIGINT); INSERT INTO ahead VALUES (0); "
    "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
    "'SELECT pg_catalog.clock_timestamp() + (SELECT s FROM public.ahead) * interval ''1 second''' ";

Task<> jump(Postgres& t) {
    const Instant before =
        must(co_await t.pool().transact(Context{}, add_work, std::string("clock")));
    t.server.run("UPDATE ahead SET s = 20", t.store->database_name());
    Instant now;
    for (int i = 0; i < 6'000 && now < before + seconds(20); ++i) {
        const auto end = co_await t.pool().transact(Context{}, add_work, std::string("clock"));
        if (end) now = *end;
        EXPECT_TRUE(end || end.error().code() == Code::UNAVAILABLE);
        (void)co_await sleep(Context{}, milliseconds(10));
    }
    const std::uint64_t jumps = t.pool().counters().clock_jumps;
    EXPECT_GE(jumps, 1u);
    EXPECT_GE(now, before + seconds(20));
    t.server.run("UPDATE ahead SET s = 0", t.store->database_name());
    for (int i = 0; i < 6'000 && t.pool().counters().clock_jumps == jumps; ++i) {
        (void)co_await t.pool().transact(Context{}, add_work, std::string("clock"));
        (void)co_await sleep(Context{}, milliseconds(10));
    }
    co_await t.recover();
    EXPECT_GE(must(co_await t.pool().transact(Context{}, add_work, std::string("clock"))), now);
}
TEST_F(Postgres, a_clock_that_jumps_is_believed_at_the_second_sample_and_never_runs_back) {
    server.run(std::string(false_clock) + "; ALTER DATABASE " + store->database_name() +
                   " SET search_path = public, pg_catalog",
               store->database_name());
    run_on(*loop, jump(*this));
}

TEST_F(Postgres, migrations_that_are_run_by_two_at_once_are_applied_once) {
    const std::string name = store->database_name() + "_two";
    server.run("CREATE DATABASE " + name);
    const std::string url = server.url("postgres", name);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] { must(migrate_postgres(url, ticket::migrations, {})); });
    for (std::thread& thread : threads) thread.join();
    must(check_postgres_schema(url, ticket::migrations));
    std::vector<Migration> breaking(std::begin(ticket::migrations), std::end(ticket::migrations));
    const int next = int(breaking.size()) + 1;
    breaking.push_back({next, "breaks", "SELECT 1", nullptr, next});
    EXPECT_FALSE(check_postgres_schema(url, breaking)); // older than we need
    must(migrate_postgres(url, breaking, {}));
    const auto refused = check_postgres_schema(url, ticket::migrations);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("install a newer urr"), std::string_view::npos);
    server.run("DROP DATABASE " + name);
}

TEST_F(Postgres, each_user_may_do_what_its_service_needs_and_nothing_else) {
    const std::string name = store->database_name() + "_rights";
    server.run("CREATE DATABASE " + name + " OWNER urr_owner");
    must(migrate_postgres(server.url("urr_owner", name), ticket::migrations,
                          {.writer = "ticket", .viewer = "catalog"}));
    const auto may = [&](std::string_view user, const std::string& sql) {
        return run_postgres_script(server.url(user, name), sql).has_value();
    };
    EXPECT_TRUE(may("ticket", "DELETE FROM seats; SELECT * FROM schema_version"));
    EXPECT_FALSE(may("ticket", "CREATE TABLE mine (n BIGINT)"));
    EXPECT_FALSE(may("ticket", "DROP TABLE seats"));
    EXPECT_FALSE(may("ticket", "DELETE FROM schema_version"));
    EXPECT_TRUE(may("catalog", "SELECT * FROM catalog_events_v1, catalog_seats_v1"));
    EXPECT_TRUE(may("catalog", "SELECT poster FROM catalog_events_v2"));
    EXPECT_FALSE(may("catalog", "SELECT * FROM seats"));
    EXPECT_FALSE(may("catalog", "SELECT * FROM accounts"));
    EXPECT_FALSE(may("catalog", "DELETE FROM catalog_seats_v1"));
    EXPECT_FALSE(may("catalog", "CREATE TEMP TABLE mine (n BIGINT)"));
    EXPECT_FALSE(may("payment", "SELECT 1")) << "another service's user";
    server.run("DROP DATABASE " + name);
}

// A machine that is gone answers nothing: the other one of the URL is found nevertheless.
TEST_F(Postgres, a_host_that_is_silent_does_not_hide_the_next_one) {
    const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&at), size), 0);
    ASSERT_EQ(::listen(silent, 8), 0); // connections come about, and nobody speaks
    ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&at), &size), 0);
    std::string& url = store->options.url;
    const auto hosts = hosts_of_postgres_url(url);
    ASSERT_EQ(hosts.size(), 1u);
    const std::string real = hosts[0].host + ":" + hosts[0].port;
    url.replace(url.find(real), real.size(),
                "127.0.0.1:" + std::to_string(ntohs(at.sin_port)) + "," + real);
    store->options.connect_timeout = seconds(2);
    run_on(*loop, recover());
    ::close(silent);
}

TEST_F(Postgres, a_server_of_another_name_or_another_authority_is_refused) {
    const std::string& good = store->options.url;
    must(check_postgres_schema(good, test_tables()));
    std::string named = good;
    named.replace(named.find("127.0.0.1"), 9, "wrong.example");
    const auto wrong_name = check_postgres_schema(named + "&hostaddr=127.0.0.1", test_tables());
    ASSERT_FALSE(wrong_name);
    EXPECT_NE(wrong_name.error().text().find("certificate"), std::string_view::npos);
    const std::string elsewhere = good.substr(0, good.find("sslrootcert="));
    const auto unknown_chain = check_postgres_schema(
        elsewhere + "sslrootcert=/etc/ssl/certs/ca-certificates.crt", test_tables());
    ASSERT_FALSE(unknown_chain);
    EXPECT_NE(unknown_chain.error().text().find("certificate"), std::string_view::npos);
    EXPECT_FALSE(check_postgres_url("postgresql://u@db.example/x?sslmode=require"));
    EXPECT_TRUE(check_postgres_url("postgresql://u@db.example/x?sslmode=verify-full"));
}

} // namespace
} // namespace urr::engines
