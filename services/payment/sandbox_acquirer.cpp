#include "services/payment/sandbox_acquirer.hpp"

#include "services/payment/domain/cards.hpp"

namespace urr::payment {

// charges.state: 0 approved, 1 declined, 2 voided before anything came; ready_us: when it counts.
// calls: what is still to be told, how often.
const Migration acquirer_migrations[1] = {{1, "charges", R"sql(
CREATE TABLE charges (
    key BLOB PRIMARY KEY,
    amount INTEGER NOT NULL,
    state INTEGER NOT NULL,
    ready_us INTEGER NOT NULL,
    refunded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE calls (
    key BLOB PRIMARY KEY,
    amount INTEGER NOT NULL,
    state INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    times INTEGER NOT NULL,
    failures INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX calls_due ON calls (due_us);
)sql"}};

namespace {

constexpr Duration late = seconds(2);
constexpr Duration call_delay = milliseconds(500); // the answer comes first, as a rule
constexpr Duration call_interval = milliseconds(200);
constexpr Duration retry_first = seconds(1);
constexpr std::int64_t failures_max = 10; // the last is an hour after the first
constexpr std::int64_t calls_batch = 100;

constexpr Statement charge{
    "INSERT INTO charges (key, amount, state, ready_us, refunded) VALUES (?1, ?2, ?3, ?4, 0) "
    "ON CONFLICT (key) DO UPDATE SET refunded = charges.refunded RETURNING state, ready_us"};
constexpr Statement find{"SELECT state, ready_us FROM charges WHERE key = ?1"};
constexpr Statement mark_refunded{"UPDATE charges SET refunded = 1 WHERE key = ?1 AND state = 0"};
// Of a charge that was made just now.
constexpr Statement insert_call{"INSERT INTO calls (key, amount, state, due_us, times, failures) "
                                "SELECT ?1, ?2, ?3, ?4, ?5, 0 FROM charges WHERE key = ?1 "
                                "AND ready_us = ?6 ON CONFLICT DO NOTHING"};
constexpr Statement select_due{"SELECT key, amount, state, times, failures FROM calls "
                               "WHERE due_us <= ?1 ORDER BY due_us LIMIT ?2"};
constexpr Statement delete_call{"DELETE FROM calls WHERE key = ?1"};
constexpr Statement repeat_call{
    "UPDATE calls SET times = ?2, failures = ?3, due_us = ?4 WHERE key = ?1"};

// What a card makes of a capture.
struct Plan {
    int state = 0;
    Duration ready_after;
    int calls = 1;
};
Plan plan_of(CardBehaviour behaviour) {
    switch (behaviour) {
    case CardBehaviour::approve:
    case CardBehaviour::delay:
        return {0, {}, 1};
    case CardBehaviour::twice:
        return {0, {}, 2};
    case CardBehaviour::time_out:
        return {0, late, 1};
    case CardBehaviour::silent:
        return {0, {}, 0};
    case CardBehaviour::hang:
        return {0, hours(24 * 365), 0};
    case CardBehaviour::decline:
    case CardBehaviour::lose:
    case CardBehaviour::unknown_card:
        break;
    }
    return {1, {}, 1};
}

Charge charge_of(const Rows& rows, Instant now) {
    if (rows.empty()) return Charge::not_found;
    if (rows.integer(0, 0) != 0) return Charge::declined;
    return rows.instant(0, 1) <= now ? Charge::approved : Charge::pending;
}

constexpr auto charge_work = [](Tx& tx, PaymentId key, Won amount,
                                Plan plan) -> Task<Result<Charge>> {
    const Instant ready = tx.now + plan.ready_after;
    Query charged = tx.run(charge, {key, amount, plan.state, ready});
    Query told =
        tx.run(insert_call, {key, amount, plan.state, ready + call_delay, plan.calls, ready});
    if (plan.calls > 0) charged.with(told);
    co_return charge_of(TRY(co_await charged.and_commit()), tx.now);
};
constexpr auto find_work = [](Tx& tx, PaymentId key) -> Task<Result<Charge>> {
    co_return charge_of(TRY(co_await tx.run(find, {key})), tx.now);
};
constexpr auto void_work = [](Tx& tx, PaymentId key) -> Task<Result<Charge>> {
    co_return charge_of(TRY(co_await tx.run(charge, {key, Won{}, 2, tx.now})), tx.now);
};
constexpr auto refund_work = [](Tx& tx, PaymentId key) -> Task<Result<bool>> {
    co_return TRY(co_await tx.run(mark_refunded, {key})).changes() == 1;
};

struct Due {
    Callback callback;
    std::int64_t times = 0, failures = 0;
};
constexpr auto due_work = [](Tx& tx) -> Task<Result<std::vector<Due>>> {
    const Rows rows = TRY(co_await tx.run(select_due, {tx.now, calls_batch}));
    std::vector<Due> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto key = rows.id<PaymentId>(i, 0);
        const auto type = rows.integer(i, 2) == 0 ? ToldCharge::captured : ToldCharge::declined;
        // One charge is told once, so that its key serves as the event's id.
        all.push_back({{MessageId{key.bytes}, type, key, rows.won(i, 1)},
                       rows.integer(i, 3),
                       rows.integer(i, 4)});
    }
    co_return all;
};
constexpr auto called_work = [](Tx& tx, const std::vector<Due>& calls) -> Task<Result<bool>> {
    std::vector<Query> written;
    written.reserve(calls.size());
    for (const Due& call : calls) {
        const PaymentId& key = call.callback.key;
        if (call.times == 0 || call.failures >= failures_max)
            written.push_back(tx.run(delete_call, {key}));
        else
            written.push_back(
                tx.run(repeat_call, {key, call.times, call.failures,
                                     tx.now + retry_first * (std::int64_t(1) << call.failures)}));
    }
    TRY(co_await together(written).and_commit());
    co_return true;
};

} // namespace

Task<Result<Charge>> SandboxAcquirer::capture(Context context, PaymentId key, Won amount,
                                              std::string card) {
    const CardBehaviour behaviour = behaviour_of(card);
    if (behaviour == CardBehaviour::delay) TRY(co_await sleep(context, late));
    if (behaviour == CardBehaviour::lose) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    const Charge charged =
        TRY(co_await database_.transact(context, charge_work, key, amount, plan_of(behaviour)));
    if (charged == Charge::pending || behaviour == CardBehaviour::silent)
        co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    co_return charged;
}

Task<Result<Charge>> SandboxAcquirer::look_up(Context context, PaymentId key) {
    co_return TRY(co_await database_.transact(context, find_work, key));
}

Task<Result<Charge>> SandboxAcquirer::void_key(Context context, PaymentId key) {
    co_return TRY(co_await database_.transact(context, void_work, key));
}

Task<Result<void>> SandboxAcquirer::refund(Context context, PaymentId key) {
    TRY(co_await database_.transact(context, refund_work, key));
    co_return Result<void>{};
}

Task<Result<std::size_t>> SandboxAcquirer::call_back(Context context, CallbackReceiver& to) {
    auto calls = TRY(co_await database_.read(context, due_work));
    if (calls.empty()) co_return std::size_t(0);
    for (Due& call : calls) {
        if (co_await to.receive(context, call.callback))
            --call.times;
        else
            ++call.failures;
    }
    const std::size_t count = calls.size();
    TRY(co_await database_.transact(context, called_work, std::move(calls)));
    co_return count;
}

Task<> SandboxAcquirer::run(CallbackReceiver& to, Duty* caller) {
    for (;;) {
        if (caller && !co_await caller->mine()) {
            (void)co_await sleep(Context{}, call_interval);
            continue;
        }
        const auto made = co_await call_back(Context{}, to);
        if (!made || *made < std::size_t(calls_batch))
            (void)co_await sleep(Context{}, call_interval);
    }
}

std::unique_ptr<SandboxAcquirer> make_sandbox_acquirer(Database& database) {
    return std::make_unique<SandboxAcquirer>(database);
}

} // namespace urr::payment
