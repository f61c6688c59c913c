// A begin-payment request that comes late or twice (found by the simulator: seats stayed in payment
// for ever).
#include "services/ticket/store/begun.hpp"

#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/sim/sim_disk.hpp"
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr::ticket {
namespace {

constexpr auto make_event = [](Tx& tx, const Event& event) {
    return create_event(tx, event, Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto hold = [](Tx& tx, const HoldOrder& order) { return hold_seats(tx, order); };
constexpr auto begin = [](Tx& tx, ReservationId id, PaymentId attempt) {
    return begin_payment_once(tx, id, attempt);
};
constexpr auto declined = [](Tx& tx, const PaymentFailed& event) {
    return take_failed(tx, event, Rules{});
};

struct Begins : testing::Test {
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SimWorld world{1};
    SimLoop loop{world};
    SimDisk disk{1, clock};
    std::unique_ptr<SqliteDatabase> database;
    HoldOrder order;
    const PaymentId first{{1}}, second{{2}};

    template <class Pending>
    auto done(Pending pending) {
        decltype(pending.await_resume()) result = fail(Code::INTERNAL);
        static constexpr auto wait = [](Pending& what, decltype(result)& into) -> Task<> {
            into = co_await what;
        };
        Nursery nursery;
        {
            Loop::Enter in(&loop);
            nursery.spawn(wait(pending, result));
        }
        while (world.step()) {
        }
        return result;
    }
    Begins() {
        SqliteOptions options;
        options.path = "ticket.db";
        options.clock = &clock;
        options.vfs = disk.vfs();
        database = must(open_sqlite_on_loop(options, loop, world.random()));
        must(migrate(*database, migrations));
        Event event;
        event.id = EventId{{9}};
        event.sale_start = clock.now() - seconds(10);
        event.sale_end = clock.now() + hours(10);
        event.published = true;
        event.layout = plain_layout(4);
        order.id = ReservationId{{7}};
        order.event = event.id;
        order.account = AccountId{{5}};
        order.seats = {1, 2};
        order.sale_start = event.sale_start;
        order.sale_end = event.sale_end;
        order.key = {order.account, "reserve", "k", {}};
        must(done(database->transact(Context{}, make_event, event)));
        must(done(database->transact(Context{}, hold, order)));
    }
    Result<BegunOnce> begins(PaymentId attempt) {
        return done(database->transact(Context{}, begin, order.id, attempt));
    }
    void is_declined(std::int64_t fence) {
        const PaymentFailed event{OrderId{order.id.bytes}, fence, true};
        must(done(database->transact(Context{}, declined, event)));
    }
};

TEST_F(Begins, a_late_copy_of_a_begin_does_not_begin_a_declined_attempt_again) {
    EXPECT_EQ(must(begins(first)).begun.payment.fence, 1);
    EXPECT_EQ(must(begins(first)).begun.payment.fence, 1); // under way: the same answer
    is_declined(1);
    EXPECT_EQ(begins(first).error().code(), Code::RESERVATION_NOT_PENDING);
    EXPECT_EQ(must(begins(second)).begun.payment.fence, 2); // the hold goes on for another card
    is_declined(2);
    EXPECT_EQ(begins(first).error().code(), Code::RESERVATION_NOT_PENDING);
}

TEST_F(Begins, an_attempt_that_was_refused_while_another_was_under_way_stays_refused) {
    EXPECT_FALSE(must(begins(first)).in_progress);
    EXPECT_TRUE(must(begins(second)).in_progress);
    is_declined(1);
    EXPECT_EQ(begins(second).error().code(), Code::RESERVATION_NOT_PENDING);
}

} // namespace
} // namespace urr::ticket
