// The process dies between any two steps of a purchase. Afterwards, whatever the moment: no money
// without a seat, no seat without its money, and the fan can go on.
#include "tests/thread/on_sale.hpp"

namespace urr {
namespace {

// Where the process dies: before or after payment's calls outward have taken effect.
enum class Death : std::uint8_t { before_begin, after_begin, before_capture, after_capture };

Task<> die() { // a dead process answers nobody
    Gate never_opened;
    (void)co_await never_opened.wait(Context{});
}

class DyingTickets final : public payment::Tickets {
public:
    DyingTickets(payment::Tickets& real, Death at, Gate& dead)
        : real_(real), at_(at), dead_(dead) {}
    Task<Result<BegunPayment>> begin(Context context, OrderId order, PaymentId attempt) override {
        if (at_ == Death::before_begin) co_await end();
        auto begun = co_await real_.begin(context, order, attempt);
        if (at_ == Death::after_begin) co_await end();
        co_return begun;
    }
    Task<Result<payment::Order>> order(Context context, OrderId id) override {
        co_return co_await real_.order(context, id);
    }

private:
    Task<> end() {
        dead_.open();
        co_await die();
    }
    payment::Tickets& real_;
    const Death at_;
    Gate& dead_;
};

class DyingAcquirer final : public payment::Acquirer {
public:
    DyingAcquirer(payment::Acquirer& real, Death at, Gate& dead)
        : real_(real), at_(at), dead_(dead) {}
    Task<Result<payment::Charge>> capture(Context context, PaymentId key, Won amount,
                                          std::string card) override {
        if (at_ == Death::before_capture) co_await end();
        auto charge = co_await real_.capture(context, key, amount, std::move(card));
        if (at_ == Death::after_capture) co_await end();
        co_return charge;
    }
    Task<Result<payment::Charge>> look_up(Context context, PaymentId key) override {
        co_return co_await real_.look_up(context, key);
    }
    Task<Result<payment::Charge>> void_key(Context context, PaymentId key) override {
        co_return co_await real_.void_key(context, key);
    }
    Task<Result<void>> refund(Context context, PaymentId key) override {
        co_return co_await real_.refund(context, key);
    }

private:
    Task<> end() {
        dead_.open();
        co_await die();
    }
    payment::Acquirer& real_;
    const Death at_;
    Gate& dead_;
};

Task<> pays(payment::Service& payments, Principal fan, OrderId order) {
    Context context;
    context.principal = fan;
    (void)co_await payments.confirm(context, order, "4242424242424242", std::nullopt,
                                    {fan.account, "confirmPayment", "p1", {}});
}

Task<> until_death(OnSale& t, Death at, Principal& fan, std::string& id) {
    co_await t.prepare();
    fan = t.fan();
    id = co_await t.hold(fan, "[1]");
    Gate dead;
    DyingTickets tickets(*t.tickets_client, at, dead);
    DyingAcquirer acquirer(*t.acquirer, at, dead);
    payment::Service payments({.database = *t.payment_db,
                               .clock = t.clock,
                               .random = t.random,
                               .acquirer = acquirer,
                               .tickets = tickets});
    Nursery process; // ends with this scope, whatever is under way
    process.spawn(pays(payments, fan, OrderId{ReservationId::parse(id)->bytes}));
    must(co_await dead.wait(Context{}));
}

// The hold of before lives on, or is paid. Either way it ends with one ticket and balanced books.
Task<> goes_on(OnSale& t, Principal fan, std::string id, bool was_captured) {
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 1u);
    EXPECT_TRUE(co_await t.becomes(fan, id, was_captured ? "confirmed" : "pending"));
    co_await t.expect_balanced();
    const Response again = co_await t.pay(fan, id, "4242424242424242", "p2");
    EXPECT_EQ(again.status, was_captured ? 409 : 200) << again.body;
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
    const Response tickets = co_await t.ask_ticket(fan, Method::get, "/api/v1/tickets/mine");
    EXPECT_EQ(must(parse_json(tickets.body)).find("items")->items.size(), 1u);
}

struct Deaths : OnSale, testing::WithParamInterface<Death> {};

TEST_P(Deaths, between_two_steps_lose_neither_money_nor_seat) {
    Principal fan;
    std::string id;
    run(until_death(*this, GetParam(), fan, id));
    restart();
    run(goes_on(*this, fan, id, GetParam() == Death::after_capture));
}

INSTANTIATE_TEST_SUITE_P(Purchase, Deaths,
                         testing::Values(Death::before_begin, Death::after_begin,
                                         Death::before_capture, Death::after_capture));

} // namespace
} // namespace urr
