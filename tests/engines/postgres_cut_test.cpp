// Connections to PostgreSQL that are cut behind any byte, or stand open with nobody behind them:
// what the caller is told is true, and asking again by the key has one effect.
#include <cstring>
#include <fstream>

#include "libs/sql/idempotency.hpp"
#include "tests/engines/sql_engine.hpp"
#include "tests/engines/tcp_between.hpp"

namespace urr::engines {
namespace {

constexpr Statement add{"INSERT INTO numbers (name, n) VALUES (?1, 1) "
                        "ON CONFLICT (name) DO UPDATE SET n = numbers.n + 1"};
constexpr Statement find{"SELECT n FROM numbers WHERE name = ?1"};
constexpr auto once_work = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    const IdempotencyKey key{{}, "add", name, {}};
    if (TRY(co_await claim_key(tx, key, 201, "done"))) co_return true;
    TRY(co_await tx.run(add, {name}));
    co_return true;
};
constexpr auto add_work = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name}));
    co_return true;
};
constexpr auto find_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(find, {name}));
    co_return rows.empty() ? 0 : rows.integer(0, 0);
};

// A server that can be reached without TLS, so that bytes are statements.
const PostgresServer& plain_server() {
    static const OwnServer server("0");
    static const bool opened = [] {
        const std::string url = server->url("postgres", "postgres");
        const Rows rows = must(ask_postgres(url, {"SHOW hba_file"}));
        std::ofstream(std::string(rows.text(0, 0)), std::ios::app)
            << "hostnossl all all 127.0.0.1/32 scram-sha-256\n";
        must(ask_postgres(url, {"SELECT pg_reload_conf()"}));
        return true;
    }();
    EXPECT_TRUE(opened);
    return *server;
}

struct Cut : testing::TestWithParam<bool> {
    const PostgresServer& server = plain_server();
    TcpBetween between{server.port()};
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, test_tables(), &server);
    int done = 0, refused = 0, unknown = 0, unknown_and_done = 0;

    Cut() {
        store->options.url = through(between.port());
        store->options.pooled = GetParam();
        store->options.connections = 1;
    }
    ~Cut() override { store.reset(); }

    std::string through(int port) const {
        return server.url("postgres", store->database_name(), port) + "&sslmode=disable";
    }
    Database& pool() { return store->pool(); }
    Task<std::int64_t> number(std::string name) {
        co_return must(co_await pool().read(Context{}, find_work, std::move(name)));
    }
    // Until there is a connection that has everything prepared.
    Task<> recover() {
        for (int tries = 0; tries < 6'000; ++tries) { // a minute
            if (co_await pool().transact(Context{}, once_work, std::string("recovered"))) {
                co_await number("recovered");
                co_return;
            }
            (void)co_await sleep(Context{}, milliseconds(10));
        }
        ADD_FAILURE() << "the store did not come back";
    }
    // One work, whose connection is cut there.
    Task<> cut(TcpBetween::Direction& direction, std::int64_t behind, std::string name) {
        direction.cut_behind = behind;
        const auto end = co_await pool().transact(Context{}, once_work, name);
        direction.cut_behind = -1;
        co_await recover();
        const std::int64_t effects = co_await number(name);
        const Code code = end ? Code::INTERNAL : end.error().code();
        EXPECT_TRUE(end || code == Code::UNAVAILABLE || code == Code::OUTCOME_UNKNOWN)
            << urr::name(code);
        if (code == Code::UNAVAILABLE) EXPECT_EQ(effects, 0) << name << ": not done, it was said";
        if (end) EXPECT_EQ(effects, 1) << name << ": done, it was said";
        ++(end ? done : code == Code::UNAVAILABLE ? refused : unknown);
        unknown_and_done += code == Code::OUTCOME_UNKNOWN && effects == 1;
        must(co_await pool().transact(Context{}, once_work, name));
        EXPECT_EQ(co_await number(name), 1) << name;
    }
};

Task<> at_every_byte(Cut& t) {
    for (const auto& [direction, name] :
         {std::pair(&t.between.up, "up "), std::pair(&t.between.down, "down ")}) {
        co_await t.recover();
        // What the least of them takes: between some the server is asked for its time.
        std::int64_t all = INT64_MAX;
        for (int i = 0; i < 5; ++i) {
            const std::int64_t before = direction->passed;
            const std::string as_short = std::string(name, std::strlen(name) - 1) + char('a' + i);
            must(co_await t.pool().transact(Context{}, once_work, as_short));
            all = std::min(all, direction->passed - before);
        }
        // The COMMIT and its answer byte by byte.
        const std::int64_t commit = all - 48;
        for (std::int64_t behind = 0; behind < all;
             behind = behind < commit ? std::min(behind + 61, commit) : behind + 1)
            co_await t.cut(*direction, behind, name + std::to_string(behind));
    }
    EXPECT_GT(t.done, 0);
    EXPECT_GT(t.refused, 10);
    EXPECT_GT(t.unknown - t.unknown_and_done, 0);
    EXPECT_GT(t.unknown_and_done, 10);
    EXPECT_EQ(t.done + t.refused + t.unknown, t.between.cuts);
}
TEST_P(Cut, behind_any_byte_nothing_is_told_that_is_not_true) {
    run_on(*loop, at_every_byte(*this));
}

Task<> nobody_there(Cut& t) {
    co_await t.recover();
    t.between.up.swallows = t.between.down.swallows = true;
    const auto end = co_await t.pool().transact(Context{}, add_work, std::string("half-open"));
    EXPECT_EQ(end ? Code::INTERNAL : end.error().code(), Code::UNAVAILABLE);
    while (t.pool().healthy()) (void)co_await sleep(Context{}, milliseconds(20));
    EXPECT_FALSE(co_await t.pool().transact(Context{}, add_work, std::string("half-open")));
    t.between.up.swallows = t.between.down.swallows = false;
    co_await t.recover();
    EXPECT_EQ(co_await t.number("half-open"), 0);
}
TEST_P(Cut, half_open_is_left_in_time_and_new_ones_are_made_when_there_is_somebody) {
    store->options.answer_timeout = store->options.connect_timeout = seconds(2);
    run_on(*loop, nobody_there(*this));
}

// The server does not hear that its client has gone, in the midst of a transaction.
Task<> leaves_locks(Cut& t) {
    co_await t.recover();
    must(co_await t.pool().transact(Context{}, add_work, std::string("locked")));
    t.between.down.swallows = true;
    const auto end = co_await t.pool().transact(Context{}, add_work, std::string("locked"));
    EXPECT_EQ(end ? Code::INTERNAL : end.error().code(), Code::UNAVAILABLE);
    t.between.up.swallows = true;
    t.store->options.url = t.through(t.server.port());
    t.store->options.answer_timeout = seconds(60);
    t.store->options.statement_timeout = seconds(60);
    t.store->options.repeat_timeout = seconds(60);
    Database& another = t.store->pool(1);
    must(co_await another.transact(Context{}, add_work, std::string("locked")));
    EXPECT_EQ(must(co_await another.read(Context{}, find_work, std::string("locked"))), 2);
}
TEST_P(Cut, half_open_gives_its_locks_back_by_itself) {
    store->options.answer_timeout = seconds(2);
    store->options.statement_timeout = seconds(4);
    run_on(*loop, leaves_locks(*this));
}

INSTANTIATE_TEST_SUITE_P(Sql, Cut, testing::Bool(),
                         [](const auto& of) { return of.param ? "unprepared" : "prepared"; });

} // namespace
} // namespace urr::engines
