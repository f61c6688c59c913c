#include "services/payment/store/payments.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::payment {

const Migration migrations[2] = {{1, "shared tables", shared_tables}, {2, "payments", R"sql(
CREATE TABLE orders (
    id BLOB PRIMARY KEY,
    account BLOB NOT NULL,
    amount INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    state INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE attempts (
    id BLOB PRIMARY KEY,
    order_id BLOB NOT NULL,
    account BLOB NOT NULL,
    amount INTEGER NOT NULL,
    state INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    key TEXT NOT NULL,
    body_sha256 BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX attempts_account ON attempts (account, id);
-- At most one attempt of an order is under way or captured, whatever the code above does.
CREATE UNIQUE INDEX attempts_living ON attempts (order_id) WHERE state IN (0, 1);
CREATE INDEX attempts_started ON attempts (created_us) WHERE state = 0;
-- Double entry: the postings of one entry sum to zero.
CREATE TABLE ledger (
    entry BLOB NOT NULL,
    posting INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (entry, posting)
) WITHOUT ROWID;
)sql"}};

namespace {

constexpr const char* route = "confirmPayment";

constexpr Statement insert_order{"INSERT INTO orders (id, account, amount, expires_us, state) "
                                 "VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING"};
constexpr Statement select_order{
    "SELECT account, amount, expires_us, state FROM orders WHERE id = ?1"};
constexpr Statement withdraw{"UPDATE orders SET state = 1 WHERE id = ?1 AND state = 0"};
constexpr Statement set_order{"UPDATE orders SET state = ?2 WHERE id = ?1"};
constexpr Statement insert_attempt{
    "INSERT INTO attempts (id, order_id, account, amount, state, fence, created_us, key, "
    "body_sha256) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?7)"};
constexpr Statement living{"SELECT state FROM attempts WHERE order_id = ?1 AND state IN (0, 1)"};
constexpr Statement set_attempt{
    "UPDATE attempts SET state = ?2, fence = ?3 WHERE id = ?1 AND state = 0"};
constexpr Statement set_refunded{"UPDATE attempts SET state = 5 WHERE id = ?1 AND state = 1"};
constexpr Statement post{"INSERT INTO ledger (entry, posting, account, amount, at_us) "
                         "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"};
#define ATTEMPT_COLUMNS                                                                            \
    "SELECT id, order_id, account, amount, state, created_us, key, body_sha256 FROM attempts "
constexpr Statement one_attempt{ATTEMPT_COLUMNS "WHERE id = ?1"};
constexpr Statement of_account{ATTEMPT_COLUMNS "WHERE account = ?1 ORDER BY id DESC LIMIT ?2"};
constexpr Statement old_ones{ATTEMPT_COLUMNS
                             "WHERE state = 0 AND created_us <= ?1 ORDER BY created_us LIMIT ?2"};
#undef ATTEMPT_COLUMNS

Attempt attempt_of(const Rows& rows, std::size_t i) {
    Attempt a;
    a.id = rows.id<PaymentId>(i, 0);
    a.order = rows.id<OrderId>(i, 1);
    a.account = rows.id<AccountId>(i, 2);
    a.amount = rows.won(i, 3);
    a.state = AttemptState(rows.integer(i, 4));
    a.created = rows.instant(i, 5);
    a.key = {a.account, route, std::string(rows.text(i, 6)), {}};
    const auto digest = rows.bytes(i, 7);
    std::copy_n(digest.begin(), std::min(digest.size(), a.key.body_sha256.size()),
                a.key.body_sha256.begin());
    return a;
}

// What the acquirer owes us against what we owe the customer; a refund turns it round.
Task<Result<void>> post_entry(Tx& tx, PaymentId attempt, bool refund, Won amount) {
    const int first = refund ? 2 : 0;
    const Won signed_amount{refund ? -amount.amount : amount.amount};
    TRY(co_await tx.run(post, {attempt, first, "acquirer", signed_amount, tx.now}));
    TRY(co_await tx.run(post, {attempt, first + 1, "customers", Won{} - signed_amount, tx.now}));
    co_return Result<void>{};
}

std::string outcome_event(const Attempt& a, const Settlement& s) {
    if (s.to == AttemptState::captured)
        return to_json(PaymentCaptured{a.order, a.id, s.fence, a.amount});
    return to_json(PaymentFailed{a.order, s.fence, true});
}

} // namespace

std::string_view state_name(AttemptState state) {
    constexpr std::string_view names[] = {"pending", "captured", "declined",
                                          "refused", "voided",   "refunded"};
    return names[std::size_t(state)];
}

std::string attempt_json(const Attempt& a) {
    return "{\"id\":\"" + a.id.text() + "\",\"orderId\":\"" + a.order.text() + "\",\"state\":\"" +
           std::string(state_name(a.state)) + "\",\"amount\":" + std::to_string(a.amount.amount) +
           ",\"currency\":\"KRW\",\"createdAt\":\"" + to_rfc3339(a.created) + "\"}";
}

Task<Result<bool>> put_order(Tx& tx, Order order) {
    TRY(co_await tx.run(insert_order, {order.id, order.account, order.amount, order.expires}));
    co_return true;
}

Task<Result<bool>> withdraw_order(Tx& tx, OrderId id) {
    TRY(co_await tx.run(withdraw, {id}));
    co_return true;
}

Task<Result<Order>> find_order(Tx& tx, OrderId id) {
    const Rows rows = TRY(co_await tx.run(select_order, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return Order{id, rows.id<AccountId>(0, 0), rows.won(0, 1), rows.instant(0, 2),
                    OrderState(rows.integer(0, 3))};
}

Task<Result<Started>> start_attempt(Tx& tx, PaymentId id, OrderId order_id, IdempotencyKey key) {
    Started started;
    started.answer = TRY(co_await claim_attempt(tx, key));
    if (started.answer) co_return started;
    const Order order = TRY(co_await find_order(tx, order_id));
    if (order.account != key.account) co_return fail(Code::NOT_FOUND);
    const Rows rows = TRY(co_await tx.run(living, {order_id}));
    if (!rows.empty() && rows.integer(0, 0) == int(AttemptState::captured))
        co_return fail(Code::PAYMENT_ALREADY_CAPTURED);
    if (!rows.empty()) co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
    if (order.state == OrderState::withdrawn) co_return fail(Code::HOLD_EXPIRED);
    const std::span<const unsigned char> digest(key.body_sha256);
    TRY(co_await tx.run(insert_attempt,
                        {id, order_id, order.account, order.amount, tx.now, key.key, digest}));
    started.attempt = {id,     order_id,      order.account, order.amount, AttemptState::started,
                       tx.now, std::move(key)};
    co_return started;
}

Task<Result<Attempt>> settle_attempt(Tx& tx, Settlement s) {
    Attempt a = TRY(co_await find_attempt(tx, s.attempt));
    if (a.state != AttemptState::started) co_return a;
    TRY(co_await tx.run(set_attempt, {a.id, int(s.to), s.fence}));
    a.state = s.to;
    if (s.to == AttemptState::captured) {
        TRY(co_await tx.run(set_order, {a.order, int(OrderState::captured)}));
        TRY(co_await post_entry(tx, a.id, false, a.amount));
    }
    if (s.announce) {
        const std::string data = outcome_event(a, s);
        const std::string_view type =
            s.to == AttemptState::captured ? PaymentCaptured::type : PaymentFailed::type;
        TRY(co_await append_event(tx, s.message,
                                  {topic_reservation, a.order.bytes, type, 1, data, ""}));
    }
    if (s.to == AttemptState::refused) { // nothing happened: the key is free again
        TRY(co_await forget_attempt(tx, a.key));
    } else {
        const std::string answer = attempt_json(a);
        TRY(co_await keep_answer(tx, a.key, s.to == AttemptState::captured ? 200 : 409, answer));
    }
    co_return a;
}

Task<Result<bool>> note_refund(Tx& tx, PaymentId id) {
    const Attempt a = TRY(co_await find_attempt(tx, id));
    const Rows rows = TRY(co_await tx.run(set_refunded, {id}));
    if (rows.changes() == 1) TRY(co_await post_entry(tx, id, true, a.amount));
    co_return rows.changes() == 1;
}

Task<Result<Attempt>> find_attempt(Tx& tx, PaymentId id) {
    const Rows rows = TRY(co_await tx.run(one_attempt, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return attempt_of(rows, 0);
}

Task<Result<std::vector<Attempt>>> attempts_of(Tx& tx, AccountId account, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(of_account, {account, most}));
    std::vector<Attempt> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(attempt_of(rows, i));
    co_return all;
}

Task<Result<std::vector<Attempt>>> unsettled(Tx& tx, Duration age, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(old_ones, {tx.now - age, most}));
    std::vector<Attempt> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(attempt_of(rows, i));
    co_return all;
}

} // namespace urr::payment
