// Batches of holds that meet the locks of somebody who is none of ours: only who needs the locked
// row is refused, and may come again.
#include <atomic>
#include <thread>

#include "libs/security/mac.hpp"
#include "libs/sql/lock_kept.hpp"
#include "services/ticket/holds.hpp"
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations_audit.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

using ticket::Held;
using ticket::HoldOrder;
using ticket::Holds;

constexpr auto make_event = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, ticket::Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr Statement sleeping{"SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                             "AND datname = current_database()"};
constexpr Statement waiting{"SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                            "AND datname = current_database()"};

// Does `act` and keeps its locks until it is let go.
class Keeper {
public:
    Keeper(const TestStore& store, const std::string& act)
        : store_(store), thread_([name = store.database_name(), act] {
              PostgresServer::get().run("BEGIN; " + act +
                                            "; DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP "
                                            "PERFORM pg_sleep(0.02); END LOOP; END $$; COMMIT",
                                        name);
          }) {}
    ~Keeper() { let_go(); }
    void let_go() {
        if (!thread_.joinable()) return;
        PostgresServer::get().run("INSERT INTO go VALUES (1)", store_.database_name());
        thread_.join();
    }

private:
    const TestStore& store_;
    std::thread thread_;
};

struct HoldLocks : testing::Test {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, ticket::migrations);
    SystemClock clock;
    SeededRandom random{11};
    ticket::Event event;
    int held = 0;
    std::vector<Error> refused;

    HoldLocks() {
        PostgresServer::get().run("CREATE TABLE go (n integer)", store->database_name());
        event.id = EventId::make(clock.now(), random);
        event.sale_start = clock.now() - hours(1);
        event.sale_end = clock.now() + hours(1);
        event.published = true;
        event.layout = ticket::plain_layout(400);
    }
    ~HoldLocks() override { store.reset(); }

    HoldOrder order(std::int64_t seat) {
        HoldOrder o;
        o.id = ReservationId::make(clock.now(), random);
        o.message = MessageId::make(clock.now(), random);
        o.event = event.id;
        o.account = AccountId::make(clock.now(), random);
        o.amount = Won{1'000};
        o.seats = {seat};
        o.sale_start = event.sale_start;
        o.sale_end = event.sale_end;
        o.key = {o.account, "createReservation", o.id.text(), {}};
        return o;
    }
    Task<> prepare() { must(co_await store->pool().transact(Context{}, make_event, event)); }
    Task<std::unique_ptr<Keeper>> keep(const std::string& act) {
        auto keeper = std::make_unique<Keeper>(*store, act);
        co_await until_there_is(sleeping);
        co_return keeper;
    }
    Task<> until_there_is(const Statement& sign) {
        const std::string url = PostgresServer::get().url("postgres", store->database_name());
        while (must(ask_postgres(url, sign)).empty())
            (void)co_await sleep(Context{}, milliseconds(20));
    }
    Task<> hold(Holds& holds, HoldOrder o) {
        auto end = co_await holds.hold(Context{}, std::move(o));
        if (end)
            ++held;
        else
            refused.push_back(std::move(end).error());
    }
    Task<> hold_all(Holds& holds, std::int64_t first, std::int64_t count) {
        Nursery nursery;
        for (std::int64_t i = 0; i < count; ++i) nursery.spawn(hold(holds, order(first + i)));
        must(co_await nursery.drained(Context{}));
    }
    // Whoever was refused may come again at once or in a second, as he is told.
    Task<> until_held(Holds& holds, std::int64_t seat) {
        const HoldOrder o = order(seat);
        while (!co_await holds.hold(Context{}, o))
            (void)co_await sleep(Context{}, milliseconds(50));
    }
    Task<> expect_sound() {
        EXPECT_EQ(must(co_await store->pool().read(Context{}, ticket::audit)), "");
    }
    std::string hex_of(const EventId& id) { return "'\\x" + hex(id.bytes) + "'"; }
    std::string hex_of(const AccountId& id) { return "'\\x" + hex(id.bytes) + "'"; }
};

constexpr const char* lock_seat_13 = "SELECT 1 FROM seats WHERE seat = 13 FOR UPDATE";

Task<> one_seat(HoldLocks& t) {
    co_await t.prepare();
    const auto keeper = co_await t.keep(lock_seat_13);
    Database& pool = t.store->pool();
    Holds holds(pool), elsewhere(t.store->pool(1));
    Nursery others;
    others.spawn(t.hold_all(elsewhere, 200, 100));
    co_await t.hold_all(holds, 0, 100);
    must(co_await others.drained(Context{}));
    EXPECT_EQ(t.held, 199);
    EXPECT_EQ(t.refused.size(), 1u);
    if (t.refused.empty()) co_return;
    EXPECT_EQ(t.refused.front().code(), Code::UNAVAILABLE);
    EXPECT_TRUE(is_lock_kept(t.refused.front()));
    EXPECT_EQ(t.refused.front().retry_after_s(), 1);
    EXPECT_EQ(pool.counters().retried, 0u) << "the batch was repeated while nobody else wrote";
    keeper->let_go();
    co_await t.until_held(holds, 13);
    co_await t.expect_sound();
}
TEST_F(HoldLocks, on_a_seat_that_somebody_keeps_refuse_only_who_wants_it) {
    run_on(*loop, one_seat(*this));
}

Task<> crowd(HoldLocks& t) {
    co_await t.prepare();
    const auto keeper = co_await t.keep(lock_seat_13);
    Database& pool = t.store->pool();
    Counter stuck;
    Holds holds(pool, &stuck);
    co_await t.hold(holds, t.order(13));
    EXPECT_EQ(t.refused.size(), 1u);
    const std::uint64_t before = pool.counters().batches;
    Nursery nursery; // one crowd at the stuck seat, another one at all others
    for (int i = 0; i < 300; ++i) nursery.spawn(t.hold(holds, t.order(13)));
    EXPECT_EQ(t.refused.size(), 301u) << "somebody waits for a seat that is stuck";
    for (std::int64_t seat = 100; seat < 400; ++seat) nursery.spawn(t.hold(holds, t.order(seat)));
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(t.held, 300);
    EXPECT_EQ(stuck.value(), 301u);
    EXPECT_LE(pool.counters().batches - before, 5u) << "the others' batches were taken apart";
    keeper->let_go();
    co_await t.until_held(holds, 13);
    co_await t.expect_sound();
}
TEST_F(HoldLocks, on_a_stuck_seat_keep_its_crowd_from_the_store) { run_on(*loop, crowd(*this)); }

Task<> whole_table(HoldLocks& t) {
    co_await t.prepare();
    const auto keeper = co_await t.keep("LOCK TABLE seats IN EXCLUSIVE MODE");
    Holds holds(t.store->pool());
    co_await t.hold_all(holds, 0, 60);
    EXPECT_EQ(t.held, 0);
    EXPECT_EQ(t.refused.size(), 60u);
    for (const Error& error : t.refused) EXPECT_EQ(error.code(), Code::UNAVAILABLE);
    // A few were tried, not each of them.
    EXPECT_LE(t.store->pool().counters().batches, 12u);
    keeper->let_go();
    for (std::int64_t seat = 0; seat < 60; ++seat) co_await t.until_held(holds, seat);
    co_await t.expect_sound();
}
TEST_F(HoldLocks, on_a_whole_table_are_not_waited_for_by_each) {
    run_on(*loop, whole_table(*this));
}

Task<> newcomer(HoldLocks& t) {
    co_await t.prepare();
    const HoldOrder shared = t.order(5);
    const auto keeper =
        co_await t.keep("INSERT INTO accounts (event, account, seats, lapses, "
                        "paused_until_us) VALUES (" +
                        t.hex_of(shared.event) + ", " + t.hex_of(shared.account) + ", 0, 0, 0)");
    t.store->options.lock_timeout = seconds(60);
    t.store->options.statement_timeout = seconds(60);
    t.store->options.answer_timeout = seconds(60);
    Database& pool = t.store->pool(1);
    Holds holds(pool);
    Nursery nursery;
    nursery.spawn(t.hold(holds, shared));
    nursery.spawn(t.hold_all(holds, 100, 100));
    co_await t.until_there_is(waiting);
    keeper->let_go(); // the account's row is there now: the batch cannot make it
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(t.held, 101);
    EXPECT_LE(pool.counters().works, 3u) << "each hold was a work of its own";
}
TEST_F(HoldLocks, of_a_new_account_in_two_batches_cost_one_batch_more) {
    run_on(*loop, newcomer(*this));
}

} // namespace
} // namespace urr::engines
