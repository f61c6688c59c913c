#include "services/ticket/store/reservations.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations_audit.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr::ticket {
namespace {

namespace fs = std::filesystem;

constexpr auto hold = [](Tx& tx, const HoldOrder& order) { return hold_seats(tx, order); };
constexpr auto begin = [](Tx& tx, ReservationId id, PaymentId attempt) {
    return begin_payment(tx, id, attempt);
};
constexpr auto cancel = [](Tx& tx, ReservationId id, AccountId who, MessageId message) {
    return cancel_reservation(tx, id, who, message);
};
constexpr auto captured = [](Tx& tx, MessageId seen, const PaymentCaptured& event, MessageId answer,
                             const std::vector<TicketId>& tickets) {
    return take_captured(tx, seen, event, answer, tickets);
};
constexpr auto failed = [](Tx& tx, const PaymentFailed& event) {
    return take_failed(tx, event, Rules{});
};
constexpr auto expire = [](Tx& tx, const std::vector<MessageId>& messages) {
    return expire_holds(tx, Rules{}, messages);
};
constexpr auto make_event = [](Tx& tx, const Event& event) {
    return create_event(tx, event, Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto seats = [](Tx& tx, EventId id) { return seats_of_event(tx, id); };

constexpr Statement select_last{"SELECT data FROM outbox WHERE type = ?1 "
                                "ORDER BY sequence DESC LIMIT 1"};
constexpr auto last_event = [](Tx& tx, const std::string& type) -> Task<Result<std::string>> {
    const Rows rows = TRY(co_await tx.run(select_last, {type}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return std::string(rows.text(0, 0));
};

struct Reservations : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_ticket_" + std::to_string(::getpid()) +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SeededRandom random{42};
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<SqliteDatabase> database;
    Event event;

    Reservations() {
        fs::create_directories(folder);
        SqliteOptions options;
        options.path = (folder / "ticket.db").string();
        options.clock = &clock;
        database = must(open_sqlite(options));
        must(migrate(*database, migrations));
        event.id = id<EventId>();
        event.sale_start = clock.now() - seconds(10);
        event.sale_end = clock.now() + hours(10);
        event.published = true;
        event.layout = plain_layout(40);
    }
    ~Reservations() override {
        database.reset();
        fs::remove_all(folder);
    }
    template <class Kind>
    Kind id() {
        return Kind::make(clock.now(), random);
    }
    HoldOrder order(AccountId account, std::vector<std::int64_t> wanted) {
        HoldOrder o;
        o.id = id<ReservationId>();
        o.message = id<MessageId>();
        o.event = event.id;
        o.account = account;
        o.seats = std::move(wanted);
        o.amount = Won{1000 * std::int64_t(o.seats.size())};
        o.sale_start = event.sale_start;
        o.sale_end = event.sale_end;
        o.key = {account, "createReservation", o.id.text(), {}};
        return o;
    }
    void run(Task<> task) { run_to_end(*loop, std::move(task)); }
    Task<Code> try_hold(HoldOrder o) {
        const auto held = co_await database->transact(Context{}, hold, std::move(o));
        co_return held ? Code::OUTCOME_UNKNOWN : held.error().code(); // OUTCOME_UNKNOWN: it worked
    }
    // The last event of that type in the outbox.
    template <class Told>
    Task<Result<Told>> last_told() {
        const std::string type(Told::type);
        const std::string data = TRY(co_await database->read(Context{}, last_event, type));
        co_return TRY(read_json<Told>(data));
    }
    Task<> prepare() { must(co_await database->transact(Context{}, make_event, event)); }
    Task<> expect_sound() { EXPECT_EQ(must(co_await database->read(Context{}, audit)), ""); }
};

constexpr Code held_it = Code::OUTCOME_UNKNOWN;

Task<> race(Reservations& t, int fans, int& won) {
    co_await t.prepare();
    Nursery nursery;
    static constexpr auto fan = [](Reservations& test, HoldOrder o, int& count) -> Task<> {
        const Code end = co_await test.try_hold(std::move(o));
        EXPECT_TRUE(end == held_it || end == Code::SEAT_TAKEN);
        count += end == held_it;
    };
    for (int i = 0; i < fans; ++i) {
        std::vector<std::int64_t> wanted{std::int64_t(t.random.below(40))};
        const std::int64_t other = std::int64_t(t.random.below(40));
        if (other > wanted[0]) wanted.push_back(other);
        nursery.spawn(fan(t, t.order(t.id<AccountId>(), wanted), won));
    }
    must(co_await nursery.drained(Context{}));
    co_await t.expect_sound();
    const auto rows = must(co_await t.database->read(Context{}, seats, t.event.id));
    std::int64_t free = 0;
    for (const SeatRow& row : rows) free += row.state == SeatState::available;
    EXPECT_LE(won, 40);
    EXPECT_GE(won + free, 20);
}

TEST_F(Reservations, of_many_fans_at_once_each_seat_goes_to_one) {
    int won = 0;
    run(race(*this, 500, won));
    EXPECT_GT(won, 0);
}

Task<> all_or_none(Reservations& t) {
    co_await t.prepare();
    const auto a = t.id<AccountId>(), b = t.id<AccountId>();
    EXPECT_EQ(co_await t.try_hold(t.order(a, {3})), held_it);
    EXPECT_EQ(co_await t.try_hold(t.order(b, {2, 3, 4})), Code::SEAT_TAKEN);
    EXPECT_EQ(co_await t.try_hold(t.order(b, {2, 4})), held_it);
    EXPECT_EQ(co_await t.try_hold(t.order(a, {5, 6, 7, 8})), Code::SEAT_LIMIT);
    EXPECT_EQ(co_await t.try_hold(t.order(a, {5, 6, 7})), held_it);
    auto late = t.order(b, {9});
    late.sale_end = t.clock.now() - seconds(1);
    EXPECT_EQ(co_await t.try_hold(late), Code::EVENT_NOT_ON_SALE);
    co_await t.expect_sound();
}

TEST_F(Reservations, are_all_seats_or_none_and_keep_the_limit) { run(all_or_none(*this)); }

Task<> repeat(Reservations& t) {
    co_await t.prepare();
    const auto account = t.id<AccountId>();
    const HoldOrder first = t.order(account, {1});
    HoldOrder again = t.order(account, {1});
    again.key = first.key;
    HoldOrder other = t.order(account, {2});
    other.key = first.key;
    other.key.body_sha256[0] = 1;
    const Held one = must(co_await t.database->transact(Context{}, hold, first));
    const Held two = must(co_await t.database->transact(Context{}, hold, again));
    EXPECT_EQ(one.reservation.id, two.reservation.id);
    EXPECT_TRUE(two.repeated);
    EXPECT_EQ(co_await t.try_hold(other), Code::IDEMPOTENCY_KEY_REUSED);
    co_await t.expect_sound();
}

TEST_F(Reservations, one_key_makes_one_reservation) { run(repeat(*this)); }

Task<> pay(Reservations& t) {
    co_await t.prepare();
    const auto account = t.id<AccountId>();
    const HoldOrder o = t.order(account, {1, 2});
    must(co_await t.database->transact(Context{}, hold, o));
    const auto attempt = t.id<PaymentId>();
    const Begun begun = must(co_await t.database->transact(Context{}, begin, o.id, attempt));
    EXPECT_EQ(begun.payment.fence, 1);
    EXPECT_EQ(must(co_await t.database->transact(Context{}, begin, o.id, attempt)).payment.fence,
              1);
    EXPECT_EQ(
        (co_await t.database->transact(Context{}, begin, o.id, t.id<PaymentId>())).error().code(),
        Code::PAYMENT_IN_PROGRESS);
    EXPECT_EQ((co_await t.database->transact(Context{}, cancel, o.id, account, t.id<MessageId>()))
                  .error()
                  .code(),
              Code::PAYMENT_IN_PROGRESS);
    t.clock.advance(hours(1)); // paying never expires by time
    const std::vector<MessageId> ids(10);
    EXPECT_TRUE(must(co_await t.database->transact(Context{}, expire, ids)).empty());

    const PaymentCaptured event{OrderId{o.id.bytes}, attempt, 1, o.amount};
    const std::vector<TicketId> tickets{t.id<TicketId>(), t.id<TicketId>()};
    const auto seen = t.id<MessageId>();
    const Outcome done = must(co_await t.database->transact(Context{}, captured, seen, event,
                                                            t.id<MessageId>(), tickets));
    EXPECT_TRUE(done.confirmed);
    const ReservationConfirmed told = must(co_await t.last_told<ReservationConfirmed>());
    EXPECT_EQ(told.reservation, o.id);
    EXPECT_EQ(told.event, t.event.id);
    EXPECT_EQ(told.account, account);
    EXPECT_EQ(told.seats, 2);
    const Outcome twice = must(co_await t.database->transact(Context{}, captured, seen, event,
                                                             t.id<MessageId>(), tickets));
    EXPECT_FALSE(twice.confirmed || twice.refund_wanted);
    const Outcome resent = must(co_await t.database->transact(
        Context{}, captured, t.id<MessageId>(), event, t.id<MessageId>(), tickets));
    EXPECT_FALSE(resent.confirmed || resent.refund_wanted);
    co_await t.expect_sound();
}

TEST_F(Reservations, a_captured_payment_confirms_once) { run(pay(*this)); }

Task<> late_payment(Reservations& t) {
    co_await t.prepare();
    const HoldOrder o = t.order(t.id<AccountId>(), {1});
    must(co_await t.database->transact(Context{}, hold, o));
    t.clock.advance(minutes(5));
    const auto attempt = t.id<PaymentId>();
    EXPECT_EQ((co_await t.database->transact(Context{}, begin, o.id, attempt)).error().code(),
              Code::HOLD_EXPIRED);
    // Another takes the seat over before the sweep has come by.
    const HoldOrder next = t.order(t.id<AccountId>(), {1});
    EXPECT_EQ(co_await t.try_hold(next), held_it);
    const std::vector<MessageId> ids{t.id<MessageId>(), t.id<MessageId>()};
    must(co_await t.database->transact(Context{}, expire, ids));
    co_await t.expect_sound();
    must(co_await t.database->transact(Context{}, begin, next.id, attempt));
    // Money for the first one comes all the same: it is asked back, the seat stays.
    const PaymentCaptured stray{OrderId{o.id.bytes}, t.id<PaymentId>(), 0, o.amount};
    const Outcome outcome =
        must(co_await t.database->transact(Context{}, captured, t.id<MessageId>(), stray,
                                           t.id<MessageId>(), std::vector<TicketId>(1)));
    EXPECT_TRUE(outcome.refund_wanted);
    EXPECT_FALSE(outcome.confirmed);
    co_await t.expect_sound();
}

TEST_F(Reservations, a_late_payment_of_an_expired_hold_is_refunded) { run(late_payment(*this)); }

Task<> declines(Reservations& t) {
    co_await t.prepare();
    const HoldOrder o = t.order(t.id<AccountId>(), {1});
    must(co_await t.database->transact(Context{}, hold, o));
    for (int i = 1; i <= 3; ++i) {
        const Begun begun =
            must(co_await t.database->transact(Context{}, begin, o.id, t.id<PaymentId>()));
        EXPECT_EQ(begun.payment.fence, i);
        const PaymentFailed old{OrderId{o.id.bytes}, i - 1, true};
        must(co_await t.database->transact(Context{}, failed, old)); // no effect
        const PaymentFailed event{OrderId{o.id.bytes}, i, true};
        must(co_await t.database->transact(Context{}, failed, event));
        co_await t.expect_sound();
    }
    EXPECT_EQ(
        (co_await t.database->transact(Context{}, begin, o.id, t.id<PaymentId>())).error().code(),
        Code::RESERVATION_NOT_PENDING);
    EXPECT_EQ(co_await t.try_hold(t.order(t.id<AccountId>(), {1})), held_it);
}

TEST_F(Reservations, two_declines_keep_the_hold_a_third_ends_it) { run(declines(*this)); }

Task<> lapses(Reservations& t) {
    co_await t.prepare();
    const auto account = t.id<AccountId>();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(co_await t.try_hold(t.order(account, {i})), held_it);
        t.clock.advance(minutes(6));
        const std::vector<MessageId> ids{t.id<MessageId>()};
        EXPECT_EQ(must(co_await t.database->transact(Context{}, expire, ids)).size(), 1u);
    }
    EXPECT_EQ(co_await t.try_hold(t.order(account, {9})), Code::BOOKING_PAUSED);
    t.clock.advance(minutes(31));
    EXPECT_EQ(co_await t.try_hold(t.order(account, {9})), held_it);
    co_await t.expect_sound();
}

TEST_F(Reservations, three_lapsed_holds_pause_an_account) { run(lapses(*this)); }

// Random acts of a few fans on a few seats; the store is looked at after each.
Task<> random_acts(Reservations& t, int acts) {
    co_await t.prepare();
    std::vector<AccountId> fans;
    for (int i = 0; i < 6; ++i) fans.push_back(t.id<AccountId>());
    std::vector<std::pair<ReservationId, AccountId>> made;
    std::map<ReservationId, std::pair<PaymentId, std::int64_t>> begun;
    for (int i = 0; i < acts; ++i) {
        const auto fan = fans[t.random.below(fans.size())];
        const std::size_t pick = made.empty() ? 0 : t.random.below(made.size());
        switch (made.empty() ? 0 : t.random.below(7)) {
        case 0:
        case 1: {
            HoldOrder o = t.order(fan, {std::int64_t(t.random.below(6))});
            if (co_await t.try_hold(o) == held_it) made.emplace_back(o.id, fan);
            break;
        }
        case 2: {
            const auto attempt = t.id<PaymentId>();
            const auto b =
                co_await t.database->transact(Context{}, begin, made[pick].first, attempt);
            if (b) begun[made[pick].first] = {attempt, b->payment.fence};
            break;
        }
        case 3:
            (void)co_await t.database->transact(Context{}, cancel, made[pick].first,
                                                made[pick].second, t.id<MessageId>());
            break;
        case 4:
            t.clock.advance(seconds(std::int64_t(t.random.below(200))));
            (void)co_await t.database->transact(
                Context{}, expire, std::vector<MessageId>{t.id<MessageId>(), t.id<MessageId>()});
            break;
        default: {
            const auto at = begun.find(made[pick].first);
            if (at == begun.end()) break;
            const OrderId of{at->first.bytes};
            const std::int64_t fence = at->second.second - std::int64_t(t.random.below(2));
            if (t.random.chance(500))
                must(co_await t.database->transact(
                    Context{}, captured, t.id<MessageId>(),
                    PaymentCaptured{of, at->second.first, fence, Won{1000}}, t.id<MessageId>(),
                    std::vector<TicketId>{t.id<TicketId>()}));
            else
                must(co_await t.database->transact(Context{}, failed,
                                                   PaymentFailed{of, fence, t.random.chance(500)}));
        }
        }
        co_await t.expect_sound();
    }
}

TEST_F(Reservations, random_acts_never_break_the_promises) {
    const char* given = std::getenv("URR_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : SystemRandom().next();
    std::printf("URR_SEED=%llu\n", static_cast<unsigned long long>(seed));
    random = SeededRandom(seed);
    run(random_acts(*this, 400));
}

} // namespace
} // namespace urr::ticket
