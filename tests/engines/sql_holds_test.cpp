// Ten thousand fans want the same few seats, from three pools: each seat goes to one of them.
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr int fans = 10'000, under_way_max = 500, seats = 100;

constexpr auto create = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, {{}, MessageId{event.id.bytes}});
};
constexpr auto hold = [](Tx& tx, const ticket::HoldOrder& order) {
    return ticket::hold_seats(tx, order);
};
constexpr Statement held_seats{"SELECT seat, reservation FROM seats WHERE state = 1"};
constexpr auto held_work = [](Tx& tx) -> Task<Result<Rows>> {
    co_return TRY(co_await tx.run(held_seats));
};

struct Holds : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    TestStore store{GetParam(), *loop, ticket::migrations};
    SeededRandom random{20261125};
    EventId event;
    std::map<std::int64_t, ReservationId> won;
    int begun = 0;

    ticket::HoldOrder order() {
        ticket::HoldOrder o;
        o.id = ReservationId::make({1}, random);
        o.message = MessageId::make({1}, random);
        o.event = event;
        o.account = AccountId::make({1}, random);
        const std::int64_t first = std::int64_t(random.below(seats));
        o.seats = {first};
        if (first + 1 < seats && random.chance(500)) o.seats.push_back(first + 1);
        o.sale_end = never;
        o.key = {o.account, "createReservation", o.id.text(), {}};
        return o;
    }
};

Task<> fan(Holds& t, std::size_t pool) {
    while (t.begun < fans) {
        ++t.begun;
        const ticket::HoldOrder order = t.order();
        const auto held = co_await t.store.pool(pool).transact(Context{}, hold, order);
        if (!held) {
            EXPECT_EQ(held.error().code(), Code::SEAT_TAKEN) << held.error().text();
            continue;
        }
        for (const std::int64_t seat : order.seats)
            EXPECT_TRUE(t.won.emplace(seat, order.id).second) << "seat " << seat << " twice";
    }
}

Task<> rush(Holds& t) {
    ticket::Event event;
    event.id = t.event = EventId::make({1}, t.random);
    event.layout = ticket::plain_layout(seats);
    must(co_await t.store.pool().transact(Context{}, create, event));
    Nursery nursery;
    for (int i = 0; i < under_way_max; ++i) nursery.spawn(fan(t, std::size_t(i) % 3));
    must(co_await nursery.drained(Context{}));
    const Rows rows = must(co_await t.store.pool().read(Context{}, held_work));
    EXPECT_EQ(rows.size(), t.won.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_EQ(rows.id<ReservationId>(i, 1), t.won[rows.integer(i, 0)]);
    EXPECT_GT(rows.size(), std::size_t(seats) * 9 / 10);
}

TEST_P(Holds, of_ten_thousand_at_once_give_no_seat_twice) { run_on(*loop, rush(*this)); }

INSTANTIATE_TEST_SUITE_P(Sql, Holds, both_kinds, kind_name);

} // namespace
} // namespace urr::engines
