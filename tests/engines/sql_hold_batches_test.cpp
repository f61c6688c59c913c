// Holds as ticket makes them, one by one on the embedded engine and by batches on PostgreSQL: the
// same answers, and never a seat twice.
#include <map>
#include <set>

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

constexpr std::int64_t seat_count = 400;

constexpr auto make_event = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, ticket::Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto cancel = [](Tx& tx, ReservationId id, AccountId who, MessageId message) {
    return ticket::cancel_reservation(tx, id, who, message);
};
constexpr Statement pause_row{
    "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "VALUES (?1, ?2, 0, 0, ?3)"};
constexpr auto pause_work = [](Tx& tx, EventId event, AccountId who) -> Task<Result<bool>> {
    TRY(co_await tx.run(pause_row, {event, who, tx.now + seconds(100)}));
    co_return true;
};
constexpr Statement events_of_key{"SELECT count(*), max(seq) FROM outbox WHERE key = ?1"};
constexpr auto told_work = [](Tx& tx, ReservationId id) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(events_of_key, {id}));
    co_return rows.integer(0, 0) * 10 + rows.integer(0, 1);
};

struct HoldsOn : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, ticket::migrations);
    SystemClock clock;
    SeededRandom random{7};
    ticket::Event event;
    std::map<Code, int> ends;
    std::set<std::int64_t> given; // seats that somebody was told to have

    HoldsOn() {
        event.id = EventId::make(clock.now(), random);
        event.sale_start = clock.now() - hours(1);
        event.sale_end = clock.now() + hours(1);
        event.published = true;
        event.layout = ticket::plain_layout(seat_count);
    }
    ~HoldsOn() override { store.reset(); }

    AccountId fan() { return AccountId::make(clock.now(), random); }
    HoldOrder order(AccountId who, std::vector<std::int64_t> seats) {
        HoldOrder o;
        o.id = ReservationId::make(clock.now(), random);
        o.message = MessageId::make(clock.now(), random);
        o.event = event.id;
        o.account = who;
        o.amount = Won{1'000 * std::int64_t(seats.size())};
        o.seats = std::move(seats);
        o.sale_start = event.sale_start;
        o.sale_end = event.sale_end;
        o.key = {who, "createReservation", "\"odd\\key\" " + o.id.text(), {}};
        return o;
    }
    Task<> prepare() { must(co_await store->pool().transact(Context{}, make_event, event)); }
    Task<Code> end_of(Holds& holds, HoldOrder o) {
        const auto held = co_await holds.hold(Context{}, std::move(o));
        co_return held ? Code::OUTCOME_UNKNOWN : held.error().code();
    }
    Task<> expect_sound() {
        EXPECT_EQ(must(co_await store->pool().read(Context{}, ticket::audit)), "");
    }
};

Task<> note_end(HoldsOn& t, Holds& holds, HoldOrder order) {
    auto held = co_await holds.hold(Context{}, std::move(order));
    ++t.ends[held ? Code::OUTCOME_UNKNOWN : held.error().code()];
    if (!held) co_return;
    for (const std::int64_t seat : held->reservation.seats)
        EXPECT_TRUE(t.given.insert(seat).second) << "seat " << seat << " was given twice";
}

// Three pools stand for three processes; each has its own desk.
Task<> rush(HoldsOn& t) {
    co_await t.prepare();
    Holds desks[] = {Holds(t.store->pool(0)), Holds(t.store->pool(1)), Holds(t.store->pool(2))};
    Nursery nursery;
    std::vector<AccountId> regulars;
    for (int i = 0; i < 50; ++i) regulars.push_back(t.fan());
    constexpr int wishes = 3'000;
    for (int i = 0; i < wishes; ++i) {
        std::vector<std::int64_t> seats;
        const auto first = std::int64_t(t.random.below(seat_count - 4));
        for (std::int64_t k = 0; k <= std::int64_t(t.random.below(3)); ++k)
            seats.push_back(first + k);
        const AccountId who = i % 3 == 0 ? regulars[t.random.below(regulars.size())] : t.fan();
        nursery.spawn(note_end(t, desks[i % 3], t.order(who, seats)));
    }
    must(co_await nursery.drained(Context{}));
    int all = 0;
    for (const auto& [code, count] : t.ends) {
        EXPECT_TRUE(code == Code::OUTCOME_UNKNOWN || code == Code::SEAT_TAKEN ||
                    code == Code::SEAT_LIMIT)
            << name(code);
        all += count;
    }
    EXPECT_EQ(all, wishes);
    EXPECT_GT(t.ends[Code::OUTCOME_UNKNOWN], 100);
    EXPECT_GT(t.ends[Code::SEAT_LIMIT], 0);
    co_await t.expect_sound();
}
TEST_P(HoldsOn, of_three_processes_never_sell_a_seat_twice) { run_on(*loop, rush(*this)); }

Task<> refusals(HoldsOn& t) {
    co_await t.prepare();
    Holds holds(t.store->pool());
    const AccountId a = t.fan(), b = t.fan(), paused = t.fan();
    must(co_await t.store->pool().transact(Context{}, pause_work, t.event.id, paused));
    const HoldOrder first = t.order(a, {1, 2});
    const Held held = must(co_await holds.hold(Context{}, first));
    EXPECT_EQ(held.reservation.id, first.id);
    EXPECT_EQ(held.changes.size(), 2u);
    EXPECT_EQ(held.changes.at(0).version, 2);
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, told_work, first.id)), 11);
    const auto gone = co_await holds.hold(Context{}, t.order(b, {2, 3}));
    EXPECT_EQ(gone.error().code(), Code::SEAT_TAKEN);
    EXPECT_EQ(gone.error().text(), "seats 2");
    EXPECT_EQ(co_await t.end_of(holds, t.order(a, {5, 6, 7})), Code::SEAT_LIMIT);
    EXPECT_EQ(co_await t.end_of(holds, t.order(b, {5, 6, 7, 8, 9})), Code::SEAT_LIMIT);
    EXPECT_EQ(co_await t.end_of(holds, t.order(paused, {5})), Code::BOOKING_PAUSED);
    HoldOrder early = t.order(b, {5});
    early.sale_start = t.clock.now() + hours(1);
    EXPECT_EQ(co_await t.end_of(holds, early), Code::EVENT_NOT_ON_SALE);
    HoldOrder stale = t.order(b, {5});
    stale.event_version = 7;
    EXPECT_EQ(co_await t.end_of(holds, stale), Code::PRECONDITION_FAILED);
    stale.event_version = t.event.version;
    EXPECT_EQ(co_await t.end_of(holds, stale), Code::OUTCOME_UNKNOWN);
    // What was refused is not kept: the same key holds other seats.
    HoldOrder again = t.order(b, {2});
    EXPECT_EQ(co_await t.end_of(holds, again), Code::SEAT_TAKEN);
    again.seats = {3};
    EXPECT_EQ(co_await t.end_of(holds, again), Code::OUTCOME_UNKNOWN);
    // A seat that was given back is free.
    must(co_await t.store->pool().transact(Context{}, cancel, first.id, a,
                                           MessageId::make(t.clock.now(), t.random)));
    EXPECT_EQ(co_await t.end_of(holds, t.order(b, {1, 2})), Code::OUTCOME_UNKNOWN);
    co_await t.expect_sound();
}
TEST_P(HoldsOn, are_refused_alike) { run_on(*loop, refusals(*this)); }

Task<> keys(HoldsOn& t) {
    co_await t.prepare();
    Holds one(t.store->pool(0)), two(t.store->pool(1));
    std::vector<Result<Held>> ends;
    static constexpr auto send = [](Holds& to, HoldOrder o,
                                    std::vector<Result<Held>>& into) -> Task<> {
        into.push_back(co_await to.hold(Context{}, std::move(o)));
    };
    for (int round = 0; round < 40; ++round) {
        const AccountId who = t.fan();
        const HoldOrder first = t.order(who, {round});
        HoldOrder second = first; // the same request again: other ids were drawn for it
        second.id = ReservationId::make(t.clock.now(), t.random);
        second.message = MessageId::make(t.clock.now(), t.random);
        Nursery nursery;
        ends.clear();
        nursery.spawn(send(one, first, ends));
        nursery.spawn(send(round % 2 ? one : two, second, ends));
        must(co_await nursery.drained(Context{}));
        EXPECT_TRUE(ends.at(0) && ends.at(1)) << round;
        if (!ends[0] || !ends[1]) co_return;
        EXPECT_EQ(ends[0]->reservation.id, ends[1]->reservation.id);
        EXPECT_NE(ends[0]->repeated, ends[1]->repeated);
        HoldOrder other = first;
        other.key.body_sha256[0] = 1;
        EXPECT_EQ(co_await t.end_of(one, other), Code::IDEMPOTENCY_KEY_REUSED);
    }
    co_await t.expect_sound();
}
TEST_P(HoldsOn, of_one_request_sent_twice_are_one_hold) { run_on(*loop, keys(*this)); }

Task<> newcomers(HoldsOn& t) {
    co_await t.prepare();
    Holds desks[] = {Holds(t.store->pool(0)), Holds(t.store->pool(1))};
    // One account that is new to the event, from both processes at once: at most four seats.
    for (std::int64_t round = 0; round < 20; ++round) {
        const AccountId who = t.fan();
        t.ends.clear();
        Nursery nursery;
        for (std::int64_t k = 0; k < 2; ++k) {
            const std::int64_t from = round * 8 + k * 4;
            nursery.spawn(note_end(t, desks[k], t.order(who, {from, from + 1, from + 2})));
        }
        must(co_await nursery.drained(Context{}));
        EXPECT_EQ(t.ends[Code::OUTCOME_UNKNOWN], 1);
        EXPECT_EQ(t.ends[Code::SEAT_LIMIT], 1);
    }
    co_await t.expect_sound();
}
TEST_P(HoldsOn, of_a_new_account_in_two_processes_keep_its_limit) {
    run_on(*loop, newcomers(*this));
}

Task<> late(HoldsOn& t) {
    co_await t.prepare();
    Holds holds(t.store->pool());
    Context over;
    over.deadline = Loop::here().now() - milliseconds(1);
    const auto held = co_await holds.hold(over, t.order(t.fan(), {1}));
    EXPECT_FALSE(held);
    // Whatever was said, a hold that was not promised is either not there or found by its key.
    co_await t.expect_sound();
}
TEST_P(HoldsOn, whose_time_is_over_are_not_promised) { run_on(*loop, late(*this)); }

INSTANTIATE_TEST_SUITE_P(Engines, HoldsOn, both_kinds, kind_name);

} // namespace
} // namespace urr::engines
