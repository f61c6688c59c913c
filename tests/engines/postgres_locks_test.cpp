// Works that meet another's locks: repeated as long as somebody waits for them, and no longer.
#include <atomic>
#include <thread>

#include "libs/sql/lock_kept.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr Statement add{"INSERT INTO numbers (name, n) VALUES (?1, 1) "
                        "ON CONFLICT (name) DO UPDATE SET n = numbers.n + 1"};
constexpr Statement find{"SELECT n FROM numbers WHERE name = ?1"};
constexpr auto add_work = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name}));
    co_return true;
};
constexpr auto find_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(find, {name}));
    co_return rows.empty() ? 0 : rows.integer(0, 0);
};

// Somebody who is none of ours holds the rows "locked…" until he is told to let go: whoever waits
// for them without end hangs the test.
class Outsider {
public:
    explicit Outsider(const TestStore& store)
        : store_(store), thread_([name = store.database_name()] {
              PostgresServer::get().run(
                  "BEGIN; UPDATE numbers SET n = n WHERE name LIKE 'locked%'; "
                  "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP "
                  "PERFORM pg_sleep(0.02); END LOOP; END $$; COMMIT",
                  name);
          }) {}
    ~Outsider() { let_go(); }
    // The locks are gone when it returns.
    void let_go() {
        if (!thread_.joinable()) return;
        PostgresServer::get().run("INSERT INTO go VALUES (1)", store_.database_name());
        thread_.join();
    }

private:
    const TestStore& store_;
    std::thread thread_;
};

struct Locks : testing::Test {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, test_tables());
    Locks() { PostgresServer::get().run("CREATE TABLE go (n integer)", store->database_name()); }
    ~Locks() override { store.reset(); }

    Task<std::int64_t> number(std::string name) {
        co_return must(co_await store->pool().read(Context{}, find_work, std::move(name)));
    }
    Task<std::unique_ptr<Outsider>> lock() {
        must(co_await store->pool().transact(Context{}, add_work, std::string("locked")));
        auto outsider = std::make_unique<Outsider>(*store);
        static constexpr Statement sleeping{"SELECT 1 FROM pg_stat_activity WHERE wait_event = "
                                            "'PgSleep' AND datname = current_database()"};
        co_await until_there_are(sleeping, 1);
        co_return outsider;
    }
    // Rows of that statement, which looks at what the server is doing.
    Task<> until_there_are(const Statement& signs, std::size_t count) {
        const std::string url = PostgresServer::get().url("postgres", store->database_name());
        while (must(ask_postgres(url, signs)).size() < count)
            (void)co_await sleep(Context{}, milliseconds(20));
    }
};

Task<> deadline(Locks& t) {
    const auto outsider = co_await t.lock();
    Context context;
    context.deadline = t.loop->now() + seconds(1);
    const auto end = co_await t.store->pool().transact(context, add_work, std::string("locked"));
    EXPECT_EQ(end ? Code::INTERNAL : end.error().code(), Code::OUTCOME_UNKNOWN);
    while (t.store->pool().counters().dropped == 0)
        (void)co_await sleep(Context{}, milliseconds(20));
    outsider->let_go();
    EXPECT_EQ(co_await t.number("locked"), 1) << "done though nobody waited for it";
}
TEST_F(Locks, are_not_waited_for_beyond_the_callers_deadline) { run_on(*loop, deadline(*this)); }

Task<> bound(Locks& t) {
    t.store->options.repeat_timeout = seconds(1);
    const auto outsider = co_await t.lock();
    const auto end = co_await t.store->pool(1).transact(Context{}, add_work, std::string("locked"));
    EXPECT_EQ(end ? Code::INTERNAL : end.error().code(), Code::UNAVAILABLE);
    EXPECT_TRUE(!end && is_lock_kept(end.error()));
}
TEST_F(Locks, that_nobody_releases_are_given_up_after_a_while) { run_on(*loop, bound(*this)); }

// It is not repeated: who knows its parts is told at once.
Task<> whole(Locks& t) {
    const auto outsider = co_await t.lock();
    const auto end =
        co_await t.store->pool().transact_whole(Context{}, add_work, std::string("locked"));
    EXPECT_EQ(end ? Code::INTERNAL : end.error().code(), Code::UNAVAILABLE);
    EXPECT_TRUE(!end && is_lock_kept(end.error()));
    EXPECT_EQ(end ? 0 : end.error().retry_after_s(), 1);
    outsider->let_go();
    EXPECT_EQ(co_await t.number("locked"), 1);
}
TEST_F(Locks, that_a_work_of_its_own_transaction_meets_are_told_at_once) {
    run_on(*loop, whole(*this));
}

// In one batch with the one that waits; they are told before the lock goes.
Task<> neighbours(Locks& t) {
    const auto outsider = co_await t.lock();
    t.store->options.connections = 1;
    t.store->options.repeat_timeout = hours(1);
    Database& pool = t.store->pool(1);
    must(co_await pool.transact(Context{}, add_work, std::string("warm")));
    int told = 0;
    static constexpr auto one = [](Database& on, std::string name, int& count) -> Task<> {
        must(co_await on.transact(Context{}, add_work, std::move(name)));
        ++count;
    };
    Nursery nursery;
    for (int i = 0; i < 40; ++i)
        nursery.spawn(one(pool, i == 13 ? "locked" : "free " + std::to_string(i), told));
    while (told < 39) (void)co_await sleep(Context{}, milliseconds(10));
    EXPECT_EQ(told, 39);
    outsider->let_go();
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(co_await t.number("locked"), 2);
}
TEST_F(Locks, of_one_work_do_not_hold_up_its_neighbours) { run_on(*loop, neighbours(*this)); }

// As many as there are connections; the others are told before the locks go.
Task<> all_connections(Locks& t) {
    for (const char* name : {"locked 1", "locked 2", "locked 3"})
        must(co_await t.store->pool().transact(Context{}, add_work, std::string(name)));
    const auto outsider = co_await t.lock();
    t.store->options.connections = 3;
    t.store->options.repeat_timeout = hours(1);
    Database& pool = t.store->pool(1);
    must(co_await pool.transact(Context{}, add_work, std::string("warm")));
    int given_up = 0;
    static constexpr auto stuck = [](Database& on, std::string name, int& count) -> Task<> {
        const auto end = co_await on.transact(Context{}, add_work, std::move(name));
        if (end) co_return;
        EXPECT_EQ(end.error().code(), Code::UNAVAILABLE);
        ++count;
    };
    static constexpr Statement waiting{"SELECT 1 FROM pg_stat_activity WHERE wait_event_type = "
                                       "'Lock' AND datname = current_database()"};
    Nursery nursery;
    nursery.spawn(stuck(pool, "locked 1", given_up));
    co_await t.until_there_are(waiting, 1); // each goes to another connection
    nursery.spawn(stuck(pool, "locked 2", given_up));
    co_await t.until_there_are(waiting, 2);
    nursery.spawn(stuck(pool, "locked 3", given_up));
    while (given_up == 0) (void)co_await sleep(Context{}, milliseconds(10));
    for (int i = 0; i < 20; ++i)
        must(co_await pool.transact(Context{}, add_work, "free " + std::to_string(i)));
    outsider->let_go();
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(given_up, 1);
}
TEST_F(Locks, are_never_waited_for_by_all_connections) { run_on(*loop, all_connections(*this)); }

constexpr Statement long_one{"SELECT pg_sleep(60)::text"};
constexpr auto long_work = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await tx.run(long_one));
    co_return true;
};
Task<> too_long(Locks& t) {
    t.store->options.statement_timeout = seconds(2);
    Database& pool = t.store->pool();
    const auto whole = co_await pool.transact_whole(Context{}, long_work);
    EXPECT_EQ(whole ? Code::INTERNAL : whole.error().code(), Code::UNAVAILABLE);
    EXPECT_FALSE(!whole && is_lock_kept(whole.error()));
    EXPECT_EQ(whole ? 0 : whole.error().retry_after_s(), 1);
    const auto one = co_await pool.transact(Context{}, long_work);
    EXPECT_EQ(one ? Code::INTERNAL : one.error().code(), Code::UNAVAILABLE);
    must(co_await pool.transact(Context{}, add_work, std::string("goes on")));
}
TEST_F(Locks, and_whatever_makes_a_statement_last_too_long_are_unavailable_not_our_fault) {
    run_on(*loop, too_long(*this));
}

} // namespace
} // namespace urr::engines
