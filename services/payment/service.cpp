#include "services/payment/service.hpp"

namespace urr::payment {

namespace {

constexpr std::int64_t batch_max = 500;
constexpr int put_attempts_max = 30;
constexpr Duration put_pause_first = milliseconds(5), put_pause_max = milliseconds(100);
constexpr int ledger_rounds = 60; // of reconciliation between two looks at the whole ledger

constexpr auto put_work = [](Tx& tx, const Order& order) { return put_order(tx, order); };
constexpr auto withdraw_work = [](Tx& tx, OrderId id) { return withdraw_order(tx, id); };
constexpr auto find_work = [](Tx& tx, OrderId id) { return find_order(tx, id); };
constexpr auto start_work = [](Tx& tx, PaymentId id, OrderId order, const IdempotencyKey& key) {
    return start_attempt(tx, id, order, key);
};
constexpr auto settle_work = [](Tx& tx, const Settlement& s) { return settle_attempt(tx, s); };
constexpr auto reopen_work = [](Tx& tx, OrderId id) { return reopen_order(tx, id); };
constexpr auto cancel_work = [](Tx& tx, OrderId id) { return cancel_order(tx, id); };
constexpr auto want_work = [](Tx& tx, PaymentId id) { return want_refund(tx, id); };
constexpr auto unknown_work = [](Tx& tx, PaymentId id, Won amount) {
    return note_unknown_money(tx, id, amount);
};
constexpr auto wanted_work = [](Tx& tx) { return wanted_refunds(tx, batch_max); };
constexpr auto refunded_work = [](Tx& tx, PaymentId id, MessageId message) {
    return note_refunded(tx, id, message);
};
constexpr auto ledger_work = [](Tx& tx) { return ledger_faults(tx); };
constexpr auto attempt_work = [](Tx& tx, PaymentId id) { return find_attempt(tx, id); };
constexpr auto mine_work = [](Tx& tx, AccountId account, Page page) {
    return attempts_of(tx, account, page);
};
constexpr auto unsettled_work = [](Tx& tx, Duration age) { return unsettled(tx, age, batch_max); };

// Refusals after which ticket has surely not begun.
bool refused_for_good(Code code) {
    return code == Code::HOLD_EXPIRED || code == Code::RESERVATION_NOT_PENDING ||
           code == Code::PAYMENT_IN_PROGRESS || code == Code::NOT_FOUND;
}

} // namespace

void Service::alarm(std::string_view what, PaymentId payment) {
    if (parts_.log) parts_.log->write(Level::error, what, {{"payment", payment.text()}});
}

// Where ticket's event has not come yet, ticket is asked.
Task<Result<Order>> Service::order_of_caller(Context context, OrderId id) {
    auto known = co_await parts_.database.read(context, find_work, id);
    if (!known && known.error().code() == Code::NOT_FOUND)
        known = co_await put(context, TRY(co_await parts_.tickets.order(context, id)));
    Order order = TRY(std::move(known));
    if (order.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return order;
}

// Where its event comes just now, until that is committed.
Task<Result<Order>> Service::put(Context context, Order asked) {
    Duration pause = put_pause_first;
    for (int i = 0; i < put_attempts_max; ++i) {
        if (TRY(co_await parts_.database.transact(context, put_work, asked))) co_return asked;
        TRY(co_await sleep(context, pause));
        pause = std::min(pause * 2, put_pause_max);
    }
    co_return fail(Error(Code::UNAVAILABLE, "the order is being put").retry_after(1));
}

Task<Result<Order>> Service::prepare(Context context, OrderId id) {
    Order order = TRY(co_await order_of_caller(context, id));
    if (order.state != OrderState::cancelled) co_return order;
    co_return TRY(co_await parts_.database.transact(context, reopen_work, id));
}

Task<Result<Order>> Service::cancel(Context context, OrderId id) {
    TRY(co_await order_of_caller(context, id));
    co_return TRY(co_await parts_.database.transact(context, cancel_work, id));
}

Task<Result<Attempt>> Service::settle(Context context, PaymentId id, AttemptEvent event,
                                      std::int64_t fence, bool announce) {
    const Settlement s{id, event, fence, announce,
                       MessageId::make(parts_.clock.now(), parts_.random)};
    Attempt settled = TRY(co_await parts_.database.transact(context, settle_work, s));
    metrics_.settled(settled.state);
    co_return settled;
}

// The answer of an earlier request with the same key.
Task<Result<Attempt>> Service::repeat(Context context, KeptAnswer answer) {
    const JsonValue first = TRY(parse_json(answer.body));
    const auto payment = PaymentId::parse(first.text_of("id"));
    if (!payment) co_return fail(Code::INTERNAL, "a kept answer has no id");
    if (answer.status != 200) co_return fail(Code::PAYMENT_DECLINED);
    co_return TRY(co_await parts_.database.read(context, attempt_work, *payment));
}

Task<Result<Attempt>> Service::confirm(Context context, OrderId id, std::string card,
                                       std::optional<Won> shown, IdempotencyKey key) {
    const Order order = TRY(co_await order_of_caller(context, id));
    if (shown && *shown != order.amount) co_return fail(Code::AMOUNT_MISMATCH);
    const auto attempt = PaymentId::make(parts_.clock.now(), parts_.random);
    Started started =
        TRY(co_await parts_.database.transact(context, start_work, attempt, id, std::move(key)));
    if (started.answer) co_return TRY(co_await repeat(context, std::move(*started.answer)));
    auto begun = co_await parts_.tickets.begin(context, id, attempt);
    if (!begun) {
        if (!refused_for_good(begun.error().code()))
            co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
        TRY(co_await settle(context, attempt, AttemptEvent::refused, 0, false));
        co_return fail(std::move(begun).error());
    }
    // From here on what happens must be written, whatever the caller's deadline says.
    Context unhurried = context;
    unhurried.deadline = never;
    if (begun->amount != started.attempt.amount) { // nothing was captured; the hold goes on
        alarm("payment_amount_differs", attempt);
        TRY(co_await settle(unhurried, attempt, AttemptEvent::voided, begun->fence, true));
        co_return fail(Code::AMOUNT_MISMATCH);
    }
    const Instant asked = Loop::here().now();
    auto charge =
        co_await parts_.acquirer.capture(context, attempt, started.attempt.amount, std::move(card));
    metrics_.capture_time.observe(Loop::here().now() - asked);
    if (!charge || *charge == Charge::pending || *charge == Charge::not_found)
        co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
    const bool approved = *charge == Charge::approved;
    Attempt settled = TRY(co_await settle(
        unhurried, attempt, approved ? AttemptEvent::captured : AttemptEvent::declined,
        begun->fence, true));
    if (settled.state == AttemptState::declined) co_return fail(Code::PAYMENT_DECLINED);
    co_return settled;
}

Task<Result<Attempt>> Service::payment(Context context, PaymentId id) {
    Attempt found = TRY(co_await parts_.database.read(context, attempt_work, id));
    if (found.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return found;
}

Task<Result<std::vector<Attempt>>> Service::payments(Context context, Page page) {
    co_return TRY(
        co_await parts_.database.read(context, mine_work, context.principal.account, page));
}

// Told twice, or after it was looked up, a callback finds its outcome there and changes nothing.
Task<Result<void>> Service::take(Context context, Callback callback) {
    const bool captured = callback.type == ToldCharge::captured;
    auto attempt = co_await parts_.database.read(context, attempt_work, callback.key);
    if (!attempt) {
        if (attempt.error().code() != Code::NOT_FOUND) co_return fail(std::move(attempt).error());
        if (!captured) co_return Result<void>{};
        const bool news = TRY(co_await parts_.database.transact(context, unknown_work, callback.key,
                                                                callback.amount));
        (news ? metrics_.strays : metrics_.told_again).add();
        if (news) alarm("payment_for_no_attempt", callback.key);
        (void)co_await give_back(context); // what fails now is done by the next round
        co_return Result<void>{};
    }
    if (attempt->amount != callback.amount) {
        metrics_.mismatched.add();
        alarm("payment_amount_told_differs", callback.key);
        co_return fail(Code::AMOUNT_MISMATCH);
    }
    const AttemptEvent event = captured ? AttemptEvent::captured : AttemptEvent::declined;
    if (!after(attempt->state, event)) {
        metrics_.told_again.add();
        co_return Result<void>{};
    }
    metrics_.told.add();
    if (attempt->state == AttemptState::started) {
        TRY(co_await reconcile_one(context, std::move(*attempt),
                                   captured ? Charge::approved : Charge::declined));
        co_return Result<void>{};
    }
    // Money for an attempt that has ended: ticket is not asked, or it would begin again.
    alarm("payment_after_its_end", callback.key);
    TRY(co_await settle(context, callback.key, event, 0, false));
    (void)co_await give_back(context);
    co_return Result<void>{};
}

Task<Result<void>> Service::consume(Context context, Message message) {
    // Each effect is idempotent by the state it finds, so no inbox is needed.
    if (message.type == PaymentRequested::type) {
        const auto event = TRY(read_json<PaymentRequested>(message.data));
        const Order order{event.order, event.account, event.amount, event.expires,
                          OrderState::open};
        if (!TRY(co_await parts_.database.transact(context, put_work, order)))
            co_return fail(Error(Code::UNAVAILABLE, "a request is putting it").retry_after(1));
    } else if (message.type == PaymentWithdrawn::type) {
        const auto event = TRY(read_json<PaymentWithdrawn>(message.data));
        TRY(co_await parts_.database.transact(context, withdraw_work, event.order));
    } else if (message.type == RefundRequested::type) {
        const auto event = TRY(read_json<RefundRequested>(message.data));
        TRY(co_await parts_.database.transact(context, want_work, event.payment));
        (void)co_await give_back(context); // what fails now is done by the next round
    }
    co_return Result<void>{};
}

// Ticket is asked again first: the same attempt gets the same fence, or a refusal that stands.
// `told`: what the provider says by itself; otherwise it is asked.
Task<Result<void>> Service::reconcile_one(Context context, Attempt attempt,
                                          std::optional<Charge> told) {
    const auto begun = co_await parts_.tickets.begin(context, attempt.order, attempt.id);
    if (!begun && !refused_for_good(begun.error().code()))
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    const std::int64_t fence = begun ? begun->fence : 0;
    Charge charge = Charge::pending;
    if (told)
        charge = *told;
    else
        charge = TRY(co_await parts_.acquirer.look_up(context, attempt.id));
    // Not there is no answer yet: it may still arrive. Voided, it cannot.
    if (charge == Charge::not_found)
        charge = TRY(co_await parts_.acquirer.void_key(context, attempt.id));
    if (charge == Charge::pending) co_return Result<void>{};
    if (charge == Charge::approved) {
        TRY(co_await settle(context, attempt.id, AttemptEvent::captured, fence, true));
    } else {
        TRY(co_await settle(context, attempt.id,
                            begun ? AttemptEvent::declined : AttemptEvent::voided, fence,
                            begun.has_value()));
    }
    co_return Result<void>{};
}

// Each that is unknown for too long is said once; the gauge says how many there are.
void Service::watch_age(const std::vector<Attempt>& unknown) {
    const Instant old = parts_.clock.now() - parts_.alarm_after;
    std::set<PaymentId> long_unknown;
    for (const Attempt& attempt : unknown) {
        if (attempt.created > old) continue;
        long_unknown.insert(attempt.id);
        if (!alarmed_.contains(attempt.id)) alarm("payment_outcome_unknown", attempt.id);
    }
    alarmed_ = std::move(long_unknown);
    metrics_.unknown.set(std::ssize(unknown));
    metrics_.unknown_long.set(std::int64_t(alarmed_.size()));
}

Task<Result<std::size_t>> Service::reconcile(Context context, Duration older_than) {
    auto all = TRY(co_await parts_.database.read(context, unsettled_work, older_than));
    const std::size_t count = all.size();
    for (const Attempt& attempt : all) (void)co_await reconcile_one(context, attempt, {});
    watch_age(TRY(co_await parts_.database.read(context, unsettled_work, older_than)));
    co_return count;
}

Task<Result<std::size_t>> Service::give_back(Context context) {
    const auto wanted = TRY(co_await parts_.database.read(context, wanted_work));
    for (const PaymentId payment : wanted) {
        auto given = co_await parts_.acquirer.refund(context, payment);
        if (!given && info(given.error().code()).retryable)
            co_return fail(std::move(given).error());
        if (!given) { // refused for good: people must see to it, and the others do not wait for it
            alarm("refund_refused", payment);
            continue;
        }
        if (TRY(co_await parts_.database.transact(
                context, refunded_work, payment,
                MessageId::make(parts_.clock.now(), parts_.random))))
            metrics_.refunds.add();
    }
    co_return wanted.size();
}

Task<Result<void>> Service::check_ledger(Context context) {
    const std::int64_t faults = TRY(co_await parts_.database.read(context, ledger_work));
    metrics_.ledger_faults.set(faults);
    if (faults > 0 && parts_.log)
        parts_.log->write(Level::error, "ledger_does_not_balance", {{"entries", faults}});
    co_return Result<void>{};
}

Task<> Service::run_jobs() {
    for (int round = 0;; ++round) {
        if (round % ledger_rounds == 0) (void)co_await check_ledger(Context{});
        (void)co_await sleep(Context{}, parts_.reconcile_interval);
        if (parts_.settler && !co_await parts_.settler->mine()) continue;
        (void)co_await reconcile(Context{}, parts_.reconcile_after);
        (void)co_await give_back(Context{});
    }
}

} // namespace urr::payment
