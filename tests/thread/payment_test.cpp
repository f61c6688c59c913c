// What a provider tells by itself, intents that end, money that nobody waits for.
#include "tests/thread/on_sale.hpp"

namespace urr {
namespace {

constexpr const char* approves = "4242424242424242";
constexpr const char* time_out = "4000000000000259";
constexpr const char* hangs = "4000000000000119";
constexpr const char* silent = "4000000000000366";
const Won vip{165'000};

payment::Callback captured(OnSale& t, PaymentId key, Won amount = vip) {
    return {MessageId::make(t.clock.now(), t.random), payment::ToldCharge::captured, key, amount};
}

Task<> told(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ(t.code_of(co_await t.pay(fan, id, time_out, "p1")), "PAYMENT_OUTCOME_PENDING");
    EXPECT_EQ(t.code_of(co_await t.pay(fan, id, time_out, "p1")), "IDEMPOTENCY_IN_PROGRESS");
    for (int i = 0; i < 1'200 && t.payments->metrics().told.value() == 0; ++i) { // a minute
        must(co_await t.acquirer->call_back(Context{}, *t.callbacks));
        must(co_await sleep(Context{}, milliseconds(50)));
    }
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    EXPECT_EQ((co_await t.pay(fan, id, time_out, "p1")).status, 200); // the first answer, now there
    co_await t.expect_balanced();
}
TEST_F(OnSale, a_callback_settles_what_was_never_answered) { run(told(*this)); }

Task<> replayed(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ((co_await t.pay(fan, id, approves, "p1")).status, 200);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    const payment::Callback again = captured(t, co_await t.attempt_of(fan, id));
    for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await t.tell(again, t.clock.now(), "s")).status, 200);
    EXPECT_EQ(t.payments->metrics().told_again.value(), 3u);
    EXPECT_EQ(co_await t.payment_state(fan, again.key), "captured");
    co_await t.expect_balanced();
}
TEST_F(OnSale, a_replayed_callback_changes_nothing) { run(replayed(*this)); }

Task<> forged(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    co_await t.pay(fan, id, hangs, "p1");
    const payment::Callback paid = captured(t, co_await t.attempt_of(fan, id));
    // Five minutes and more, with some for a machine that is slow or whose clock is set meanwhile.
    for (const auto& [age, secret] : {std::pair(Duration{}, "guess"), std::pair(seconds(360), "s"),
                                      std::pair(seconds(-360), "s")}) {
        const Response refused = co_await t.tell(paid, t.clock.now() - age, secret);
        EXPECT_EQ(refused.status, 403);
        EXPECT_EQ(t.code_of(refused), "WEBHOOK_SIGNATURE_INVALID");
    }
    const Response other = co_await t.tell(captured(t, paid.key, Won{1}), t.clock.now(), "s");
    EXPECT_EQ(t.code_of(other), "AMOUNT_MISMATCH");
    EXPECT_EQ(t.payments->metrics().mismatched.value(), 1u);
    EXPECT_EQ(t.payments->metrics().forged.value(), 3u);
    EXPECT_EQ(co_await t.state_of(fan, id), "paying"); // nothing of all that counted
    EXPECT_EQ(co_await t.payment_state(fan, paid.key), "pending");
}
TEST_F(OnSale, forged_stale_and_wrong_callbacks_are_refused) { run(forged(*this)); }

Task<> late_money(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ((co_await t.pay(fan, id, "4000000000000002", "p1")).status, 409);
    EXPECT_TRUE(co_await t.becomes(fan, id, "pending"));
    const PaymentId attempt = co_await t.attempt_of(fan, id);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ((co_await t.tell(captured(t, attempt), t.clock.now(), "s")).status, 200);
    EXPECT_EQ(co_await t.payment_state(fan, attempt), "refunded");
    // And money for an attempt that nobody here has begun.
    const payment::Callback unknown = captured(t, PaymentId::make(t.clock.now(), t.random));
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ((co_await t.tell(unknown, t.clock.now(), "s")).status, 200);
    EXPECT_EQ(t.payments->metrics().refunds.value(), 2u); // each once
    EXPECT_EQ(t.payments->metrics().strays.value(), 2u);
    co_await t.expect_balanced();
    EXPECT_EQ((co_await t.pay(fan, id, approves, "p2")).status, 200); // the order is not hurt
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
}
TEST_F(OnSale, money_that_nobody_waits_for_is_given_back_once) { run(late_money(*this)); }

// The sandbox, which refuses to give one payment back.
struct Refusing final : payment::Acquirer {
    payment::Acquirer& bank;
    const PaymentId refused;
    Refusing(payment::Acquirer& behind, PaymentId key) : bank(behind), refused(key) {}

    Task<Result<payment::Charge>> capture(Context context, PaymentId key, Won amount,
                                          std::string card) override {
        return bank.capture(context, key, amount, std::move(card));
    }
    Task<Result<payment::Charge>> look_up(Context context, PaymentId key) override {
        return bank.look_up(context, key);
    }
    Task<Result<payment::Charge>> void_key(Context context, PaymentId key) override {
        return bank.void_key(context, key);
    }
    Task<Result<void>> refund(Context context, PaymentId key) override {
        if (key == refused) co_return fail(Code::CONFLICT);
        co_return co_await bank.refund(context, key);
    }
};

Task<> refused_refund(OnSale& t) {
    co_await t.prepare();
    const auto refused = PaymentId::make(t.clock.now(), t.random);
    const auto other = PaymentId::make(t.clock.now() + seconds(1), t.random);
    Refusing bank(*t.acquirer, refused);
    payment::Service service(
        payment::Parts{*t.payment_db, t.clock, t.random, bank, *t.tickets_client});
    must(co_await service.take(Context{}, captured(t, refused)));
    must(co_await service.take(Context{}, captured(t, other)));
    EXPECT_EQ(service.metrics().refunds.value(), 1u); // the other's
    must(co_await t.payments->give_back(Context{}));  // where nobody refuses
    EXPECT_EQ(t.payments->metrics().refunds.value(), 1u);
    co_await t.expect_balanced();
}
TEST_F(OnSale, a_refund_that_is_refused_holds_up_no_other) { run(refused_refund(*this)); }

Task<> expired_meanwhile(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ(
        (co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations/" + id + "/cancel")).status,
        200);
    const Response refused = co_await t.pay(fan, id, approves, "p1");
    EXPECT_EQ(refused.status, 409) << refused.body;
    static constexpr auto taken = [](Tx& tx) -> Task<Result<std::int64_t>> {
        static constexpr Statement all{"SELECT count(*) FROM charges"};
        co_return TRY(co_await tx.run(all)).integer(0, 0);
    };
    EXPECT_EQ(must(co_await t.acquirer_db->read(Context{}, taken)), 0);
}
TEST_F(OnSale, nothing_is_captured_for_a_hold_that_has_ended) { run(expired_meanwhile(*this)); }

Task<> one_key_for_two(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string first = co_await t.hold(fan, "[1]"), second = co_await t.hold(fan, "[2]");
    EXPECT_EQ((co_await t.pay(fan, first, approves, "p")).status, 200);
    EXPECT_EQ(t.code_of(co_await t.pay(fan, second, approves, "p")), "IDEMPOTENCY_KEY_REUSED");
    EXPECT_EQ((co_await t.pay(fan, first, approves, "p")).status, 200);
    EXPECT_EQ((co_await t.pay(fan, second, approves, "q")).status, 200);
    EXPECT_TRUE(co_await t.becomes(fan, second, "confirmed"));
}
TEST_F(OnSale, one_key_is_one_order_though_the_bodies_are_alike) { run(one_key_for_two(*this)); }

Task<> cancels(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const auto post = [&t](Principal who, std::string order, const char* act) {
        return t.ask(*t.payment_face, "payment", who, Method::post,
                     "/api/v1/payments/" + order + "/" + act);
    };
    const Response ended = co_await post(fan, id, "cancel");
    EXPECT_EQ(must(parse_json(ended.body)).text_of("state"), "cancelled") << ended.body;
    EXPECT_EQ(t.code_of(co_await t.pay(fan, id, approves, "p1")), "PAYMENT_NOT_READY");
    EXPECT_EQ(co_await t.state_of(fan, id), "pending"); // the hold is not touched
    EXPECT_EQ((co_await post(t.fan(), id, "cancel")).status, 404);
    EXPECT_EQ((co_await post(fan, id, "prepare")).status, 200); // and it is open again
    co_await t.pay(fan, id, time_out, "p2");
    EXPECT_EQ(t.code_of(co_await post(fan, id, "cancel")), "PAYMENT_OUTCOME_PENDING");
    must(co_await sleep(Context{}, milliseconds(2100)));
    must(co_await t.payments->reconcile(Context{}, Duration{}));
    EXPECT_EQ(t.code_of(co_await post(fan, id, "cancel")), "PAYMENT_ALREADY_CAPTURED");
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
}
TEST_F(OnSale, cancel_ends_intents_that_are_not_captured_and_nothing_else) { run(cancels(*this)); }

Task<> wrong_amount(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const auto pay = [&t, fan, id](const char* amount, const char* key) {
        return t.ask(
            *t.payment_face, "payment", fan, Method::post, "/api/v1/payments/" + id + "/confirm",
            std::string(R"({"cardNumber":"4242424242424242","amount":)") + amount + "}", key);
    };
    EXPECT_EQ(t.code_of(co_await pay("164999", "p1")), "AMOUNT_MISMATCH");
    EXPECT_EQ((co_await pay("165000", "p2")).status, 200);
}
TEST_F(OnSale, what_the_fan_was_shown_must_be_what_the_order_costs) { run(wrong_amount(*this)); }

Task<> never_heard(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string paid = co_await t.hold(fan, "[1]"), open = co_await t.hold(fan, "[2]");
    co_await t.pay(fan, paid, silent, "p1");
    co_await t.pay(fan, open, hangs, "p2");
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 2u);
    EXPECT_TRUE(co_await t.becomes(fan, paid, "confirmed")); // looked up, never told
    EXPECT_EQ(co_await t.state_of(fan, open), "paying");     // unknown stays unknown
    EXPECT_EQ(t.payments->metrics().unknown.value(), 1);
    EXPECT_EQ(t.payments->metrics().unknown_long.value(), 0);
}
TEST_F(OnSale, an_unknown_outcome_is_looked_up_and_never_guessed) { run(never_heard(*this)); }

Task<> alarms(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    co_await t.pay(fan, id, hangs, "p1");
    payment::Service impatient({.database = *t.payment_db,
                                .clock = t.clock,
                                .random = t.random,
                                .acquirer = *t.acquirer,
                                .tickets = *t.tickets_client,
                                .alarm_after = Duration{}});
    must(co_await impatient.reconcile(Context{}, Duration{}));
    EXPECT_EQ(impatient.metrics().unknown_long.value(), 1);
    EXPECT_EQ(co_await t.state_of(fan, id), "paying"); // and it stays
}
TEST_F(OnSale, an_outcome_that_is_unknown_for_long_alarms_and_stays) { run(alarms(*this)); }

} // namespace
} // namespace urr
