// From the hold to the paid ticket through ticket and payment.
#include "tests/thread/on_sale.hpp"

namespace urr {
namespace {

Task<> buys(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[3,4]");
    const Response paid = co_await t.pay(fan, id, "4242424242424242", "p1");
    EXPECT_EQ(paid.status, 200) << paid.body;
    const Response again = co_await t.pay(fan, id, "4242424242424242", "p1");
    EXPECT_EQ(again.body, paid.body); // the first answer
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 409);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    const Response tickets = co_await t.ask_ticket(fan, Method::get, "/api/v1/tickets/mine");
    const JsonValue list = must(parse_json(tickets.body));
    const JsonValue* items = list.find("items");
    EXPECT_TRUE(items && items->items.size() == 2) << tickets.body;
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_fan_holds_pays_and_owns_tickets) { run(buys(*this)); }

Task<> declined(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const Response no = co_await t.pay(fan, id, "4000000000000002", "p1");
    EXPECT_EQ(no.status, 409);
    EXPECT_NE(no.body.find("PAYMENT_DECLINED"), std::string::npos) << no.body;
    EXPECT_TRUE(co_await t.becomes(fan, id, "pending"));
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 200);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_declined_card_keeps_the_hold_for_another) { run(declined(*this)); }

Task<> unknown(OnSale& t, const char* card, const char* end) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const Response waits = co_await t.pay(fan, id, card, "p1");
    EXPECT_NE(waits.body.find("PAYMENT_OUTCOME_PENDING"), std::string::npos) << waits.body;
    EXPECT_EQ(co_await t.state_of(fan, id), "paying");
    // It bars a second attempt, and cancelling.
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 409);
    EXPECT_EQ(
        (co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations/" + id + "/cancel")).status,
        409);
    must(co_await sleep(Context{}, milliseconds(2100)));
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 1u);
    EXPECT_TRUE(co_await t.becomes(fan, id, end));
    co_await t.expect_balanced();
}

TEST_F(OnSale, an_answer_that_never_came_is_asked_for_and_found) {
    run(unknown(*this, "4000000000000259", "confirmed"));
}
TEST_F(OnSale, a_request_that_never_arrived_is_voided_and_the_hold_goes_on) {
    run(unknown(*this, "4000000000000341", "pending"));
}

Task<> crash_between(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    // The attempt is stored and captured, and the process dies before it can write the outcome.
    const OrderId order{ReservationId::parse(id)->bytes};
    const auto attempt = PaymentId::make(t.clock.now(), t.random);
    Context context;
    context.principal = fan;
    must(co_await t.payments->prepare(context, order));
    static constexpr auto start = [](Tx& tx, PaymentId p, OrderId o, const IdempotencyKey& key) {
        return payment::start_attempt(tx, p, o, key);
    };
    must(co_await t.payment_db->transact(Context{}, start, attempt, order,
                                         IdempotencyKey{fan.account, "confirmPayment", "p1", {}}));
    must(co_await t.tickets_client->begin(Context{}, order, attempt));
    must(co_await t.acquirer->capture(Context{}, attempt, Won{165'000}, "4242424242424242"));
}
Task<> after_crash(OnSale& t, Principal fan, std::string id) {
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 1u);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_crash_between_capture_and_outcome_loses_no_money) {
    run(crash_between(*this));
    Principal fan;
    std::string id;
    {
        static constexpr auto find = [](OnSale& t, Principal& who, std::string& which) -> Task<> {
            static constexpr auto one =
                [](Tx& tx) -> Task<Result<std::pair<AccountId, ReservationId>>> {
                static constexpr Statement all{"SELECT account, id FROM reservations"};
                const Rows rows = TRY(co_await tx.run(all));
                co_return std::pair(rows.id<AccountId>(0, 0), rows.id<ReservationId>(0, 1));
            };
            const auto [account, reservation] = must(co_await t.ticket_db->read(Context{}, one));
            who.account = account;
            who.role = Role::user;
            which = reservation.text();
        };
        restart();
        run(find(*this, fan, id));
    }
    restart();
    run(after_crash(*this, fan, id));
}

Task<> refusals(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const auto code = [](const Response& r) {
        return std::string(must(parse_json(r.body)).text_of("code"));
    };
    Principal elsewhere = fan;
    elsewhere.entry_event = EventId::make(t.clock.now(), t.random);
    EXPECT_EQ(code(co_await t.ask_ticket(elsewhere, Method::post, "/api/v1/reservations",
                                         t.seats_body("[1]"), "a")),
              "ENTRY_TOKEN_INVALID");
    EXPECT_EQ(
        code(co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations", t.seats_body("[1]"))),
        "IDEMPOTENCY_KEY_REQUIRED");
    for (const char* seats :
         {"[1,1]", "[-1]", "[1000]", "[]", "[1.5]", "\"1\"", "[1,2,3,4,5,6,7,8,9,10,11]"})
        EXPECT_EQ(code(co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations",
                                             t.seats_body(seats), "b")),
                  "VALIDATION_FAILED")
            << seats;
    EXPECT_EQ(code(co_await t.ask_ticket(fan, Method::post, "/api/v1/admin/events", "{}")),
              "FORBIDDEN");
    // gateway may not use what is for payment alone
    EXPECT_EQ(code(co_await t.ask_ticket(
                  fan, Method::post,
                  "/internal/reservations/" + fan.account.text() + "/begin-payment", "{}")),
              "ASSERTION_INVALID");
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ(code(co_await t.ask_ticket(t.fan(), Method::get, "/api/v1/reservations/" + id)),
              "NOT_FOUND");
    EXPECT_EQ(code(co_await t.pay(t.fan(), id, "4242424242424242", "x")), "NOT_FOUND");
    const Response best =
        co_await t.ask_ticket(t.fan(), Method::post, "/api/v1/seats/" + t.event.text() + "/best",
                              R"({"count":2})", "best");
    EXPECT_EQ(best.status, 201) << best.body;
}

TEST_F(OnSale, what_must_be_refused_is) { run(refusals(*this)); }

} // namespace
} // namespace urr
