#include "services/payment/service.hpp"

namespace urr::payment {

namespace {

constexpr std::int64_t batch_max = 100;

constexpr auto put_work = [](Tx& tx, const Order& order) { return put_order(tx, order); };
constexpr auto withdraw_work = [](Tx& tx, OrderId id) { return withdraw_order(tx, id); };
constexpr auto find_work = [](Tx& tx, OrderId id) { return find_order(tx, id); };
constexpr auto start_work = [](Tx& tx, PaymentId id, OrderId order, const IdempotencyKey& key) {
    return start_attempt(tx, id, order, key);
};
constexpr auto settle_work = [](Tx& tx, const Settlement& s) { return settle_attempt(tx, s); };
constexpr auto refund_work = [](Tx& tx, PaymentId id) { return note_refund(tx, id); };
constexpr auto attempt_work = [](Tx& tx, PaymentId id) { return find_attempt(tx, id); };
constexpr auto mine_work = [](Tx& tx, AccountId account) {
    return attempts_of(tx, account, batch_max);
};
constexpr auto unsettled_work = [](Tx& tx, Duration age) { return unsettled(tx, age, batch_max); };

// Refusals after which ticket has surely not begun.
bool refused_for_good(Code code) {
    return code == Code::HOLD_EXPIRED || code == Code::RESERVATION_NOT_PENDING ||
           code == Code::PAYMENT_IN_PROGRESS || code == Code::NOT_FOUND;
}

} // namespace

Task<Result<Order>> Service::prepare(Context context, OrderId id) {
    auto known = co_await parts_.database.read(context, find_work, id);
    if (!known) {
        if (known.error().code() != Code::NOT_FOUND) co_return fail(std::move(known).error());
        Order asked = TRY(co_await parts_.tickets.order(context, id));
        TRY(co_await parts_.database.transact(context, put_work, asked));
        known = std::move(asked);
    }
    if (known->account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return std::move(*known);
}

Task<Result<Attempt>> Service::settle(Context context, PaymentId id, AttemptState to,
                                      std::int64_t fence, bool announce) {
    const Settlement s{id, to, fence, announce, MessageId::make(parts_.clock.now(), parts_.random)};
    co_return TRY(co_await parts_.database.transact(context, settle_work, s));
}

Task<Result<Attempt>> Service::confirm(Context context, OrderId id, std::string card,
                                       IdempotencyKey key) {
    TRY(co_await prepare(context, id));
    const auto attempt = PaymentId::make(parts_.clock.now(), parts_.random);
    Started started =
        TRY(co_await parts_.database.transact(context, start_work, attempt, id, std::move(key)));
    if (started.answer) {
        const JsonValue first = TRY(parse_json(started.answer->body));
        const auto payment = PaymentId::parse(first.text_of("id"));
        if (!payment) co_return fail(Code::INTERNAL, "a kept answer has no id");
        if (started.answer->status != 200) co_return fail(Code::PAYMENT_DECLINED);
        co_return TRY(co_await parts_.database.read(context, attempt_work, *payment));
    }
    auto begun = co_await parts_.tickets.begin(context, id, attempt);
    if (!begun) {
        if (!refused_for_good(begun.error().code()))
            co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
        TRY(co_await settle(context, attempt, AttemptState::refused, 0, false));
        co_return fail(std::move(begun).error());
    }
    auto charge =
        co_await parts_.acquirer.capture(context, attempt, started.attempt.amount, std::move(card));
    if (!charge || *charge == Charge::pending || *charge == Charge::not_found)
        co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
    const bool approved = *charge == Charge::approved;
    // The money has moved or not: what follows must be written whatever the caller's deadline says.
    Context unhurried = context;
    unhurried.deadline = never;
    Attempt settled = TRY(co_await settle(
        unhurried, attempt, approved ? AttemptState::captured : AttemptState::declined,
        begun->fence, true));
    if (settled.state == AttemptState::declined) co_return fail(Code::PAYMENT_DECLINED);
    co_return settled;
}

Task<Result<Attempt>> Service::payment(Context context, PaymentId id) {
    Attempt found = TRY(co_await parts_.database.read(context, attempt_work, id));
    if (found.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return found;
}

Task<Result<std::vector<Attempt>>> Service::payments(Context context) {
    co_return TRY(co_await parts_.database.read(context, mine_work, context.principal.account));
}

Task<Result<void>> Service::consume(Context context, Message message) {
    // Each effect is idempotent by the state it finds, so no inbox is needed.
    if (message.type == PaymentRequested::type) {
        const auto event = TRY(read_json<PaymentRequested>(message.data));
        const Order order{event.order, event.account, event.amount, event.expires,
                          OrderState::open};
        TRY(co_await parts_.database.transact(context, put_work, order));
    } else if (message.type == PaymentWithdrawn::type) {
        const auto event = TRY(read_json<PaymentWithdrawn>(message.data));
        TRY(co_await parts_.database.transact(context, withdraw_work, event.order));
    } else if (message.type == RefundRequested::type) {
        const auto event = TRY(read_json<RefundRequested>(message.data));
        TRY(co_await parts_.acquirer.refund(context, event.payment));
        TRY(co_await parts_.database.transact(context, refund_work, event.payment));
    }
    co_return Result<void>{};
}

// Ticket is asked again first: the same attempt gets the same fence, or a refusal that stands.
Task<Result<void>> Service::reconcile_one(Context context, Attempt attempt) {
    const auto begun = co_await parts_.tickets.begin(context, attempt.order, attempt.id);
    if (!begun && !refused_for_good(begun.error().code())) co_return Result<void>{};
    const std::int64_t fence = begun ? begun->fence : 0;
    Charge charge = TRY(co_await parts_.acquirer.look_up(context, attempt.id));
    // Not there is no answer yet: it may still arrive. Voided, it cannot.
    if (charge == Charge::not_found)
        charge = TRY(co_await parts_.acquirer.void_key(context, attempt.id));
    if (charge == Charge::pending) co_return Result<void>{};
    if (charge == Charge::approved)
        TRY(co_await settle(context, attempt.id, AttemptState::captured, fence, true));
    else
        TRY(co_await settle(context, attempt.id,
                            begun ? AttemptState::declined : AttemptState::voided, fence,
                            begun.has_value()));
    co_return Result<void>{};
}

Task<Result<std::size_t>> Service::reconcile(Context context, Duration older_than) {
    auto all = TRY(co_await parts_.database.read(context, unsettled_work, older_than));
    for (Attempt& attempt : all) (void)co_await reconcile_one(context, std::move(attempt));
    co_return all.size();
}

Task<> Service::run_jobs() {
    for (;;) {
        (void)co_await sleep(Context{}, parts_.reconcile_interval);
        (void)co_await reconcile(Context{}, parts_.reconcile_after);
    }
}

} // namespace urr::payment
