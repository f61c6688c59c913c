// Payments on both engines: orders that two processes put at once, one by ticket's events and one
// by the fans' own requests, and attempts that are begun and settled in few exchanges.
#include "libs/sql/outbox.hpp"
#include "services/payment/store/payments.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

using payment::Attempt;
using payment::Order;
using payment::Settlement;
using payment::Started;

constexpr auto put_work = [](Tx& tx, const Order& order) { return put_order(tx, order); };
constexpr auto find_work = [](Tx& tx, OrderId id) { return payment::find_order(tx, id); };
constexpr auto start_work = [](Tx& tx, PaymentId id, OrderId order, const IdempotencyKey& key) {
    return payment::start_attempt(tx, id, order, key);
};
constexpr auto settle_work = [](Tx& tx, const Settlement& s) { return settle_attempt(tx, s); };
constexpr Statement told_events{
    "SELECT count(*), coalesce(max(seq), 0) FROM outbox WHERE key = ?1"};
constexpr auto told_work = [](Tx& tx, OrderId order) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(told_events, {order}));
    co_return rows.integer(0, 0) * 10 + rows.integer(0, 1);
};

struct Payments : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, payment::migrations);
    SystemClock clock;
    SeededRandom random{7};
    ~Payments() override { store.reset(); }

    Order order() {
        return {OrderId::make(clock.now(), random), AccountId::make(clock.now(), random),
                Won{110'000}, clock.now() + hours(1)};
    }
    PaymentId attempt() { return PaymentId::make(clock.now(), random); }
    MessageId message() { return MessageId::make(clock.now(), random); }
    // As the service: who is told that another puts it looks again.
    Task<> put(Database& by, Order one) {
        while (!must(co_await by.transact(Context{}, put_work, one)))
            (void)co_await sleep(Context{}, milliseconds(5));
        EXPECT_TRUE(co_await by.read(Context{}, find_work, one.id));
    }
};

Task<> put_in_both_orders(Payments& t) {
    Database& requests = t.store->pool(0);
    Database& events = t.store->pool(1);
    for (int round = 0; round < 5; ++round) {
        std::vector<Order> orders;
        for (int i = 0; i < 100; ++i) orders.push_back(t.order());
        Nursery nursery;
        for (std::size_t i = 0; i < orders.size(); ++i) {
            nursery.spawn(t.put(requests, orders[i]));
            nursery.spawn(t.put(events, orders[orders.size() - 1 - i]));
        }
        must(co_await nursery.drained(Context{}));
    }
    EXPECT_EQ(requests.counters().retried + events.counters().retried, 0u)
        << "batches waited for each other";
}
TEST_P(Payments, orders_that_two_processes_put_in_opposite_orders_wait_for_nobody) {
    run_on(*loop, put_in_both_orders(*this));
}

Task<> repeat_a_key(Payments& t) {
    Database& store = t.store->pool();
    const Order one = t.order();
    co_await t.put(store, one);
    const IdempotencyKey key{one.account, "confirmPayment", "k", {}};
    const PaymentId first = t.attempt();
    const Started begun = must(co_await store.transact(Context{}, start_work, first, one.id, key));
    EXPECT_FALSE(begun.answer);
    EXPECT_EQ(begun.attempt.amount, one.amount);
    const auto again = co_await store.transact(Context{}, start_work, t.attempt(), one.id, key);
    EXPECT_EQ(again ? Code::INTERNAL : again.error().code(), Code::IDEMPOTENCY_IN_PROGRESS);
    Order two = t.order();
    two.account = one.account;
    co_await t.put(store, two);
    IdempotencyKey reused = key;
    reused.body_sha256[0] = 1;
    const auto wrong = co_await store.transact(Context{}, start_work, t.attempt(), two.id, reused);
    EXPECT_EQ(wrong ? Code::INTERNAL : wrong.error().code(), Code::IDEMPOTENCY_KEY_REUSED);
    const Settlement declined{first, payment::AttemptEvent::declined, 1, true, t.message()};
    EXPECT_EQ(must(co_await store.transact(Context{}, settle_work, declined)).state,
              payment::AttemptState::declined);
    // The order may be paid anew, but not by the key that was answered.
    const Started answered =
        must(co_await store.transact(Context{}, start_work, t.attempt(), one.id, key));
    EXPECT_TRUE(answered.answer && answered.answer->status == 409);
    const IdempotencyKey other{one.account, "confirmPayment", "other", {}};
    const PaymentId second = t.attempt();
    EXPECT_FALSE(
        must(co_await store.transact(Context{}, start_work, second, one.id, other)).answer);
    const Settlement captured{second, payment::AttemptEvent::captured, 2, true, t.message()};
    EXPECT_EQ(must(co_await store.transact(Context{}, settle_work, captured)).state,
              payment::AttemptState::captured);
    EXPECT_EQ(must(co_await store.read(Context{}, find_work, one.id)).state,
              payment::OrderState::captured);
    EXPECT_EQ(must(co_await store.read(Context{}, told_work, one.id)), 22) << "two, numbered";
}
TEST_P(Payments, a_key_that_was_answered_begins_no_attempt) { run_on(*loop, repeat_a_key(*this)); }

INSTANTIATE_TEST_SUITE_P(Sql, Payments, every_kind, kind_name);

} // namespace
} // namespace urr::engines
