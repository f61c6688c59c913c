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
-- Money to be given back.
CREATE TABLE refunds (
    payment BLOB PRIMARY KEY,
    order_id BLOB,
    amount INTEGER NOT NULL,
    done INTEGER NOT NULL,
    wanted_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX refunds_wanted ON refunds (wanted_us) WHERE done = 0;
)sql"}};

namespace {

constexpr const char* route = "confirmPayment";

// It waits for nobody who is inserting the same one: batches that put the same orders in different
// orders would wait for each other.
#define INSERT_ORDER                                                                               \
    "INSERT INTO orders (id, account, amount, expires_us, state) SELECT ?1, ?2, ?3, ?4, 0 WHERE "
#define UNLESS_THERE " ON CONFLICT DO NOTHING"
constexpr Statement insert_order{
    INSERT_ORDER "true" UNLESS_THERE, INSERT_ORDER
    "pg_try_advisory_xact_lock(hashtextextended(encode(?1, 'hex'), 7697013))" UNLESS_THERE};
#undef UNLESS_THERE
#undef INSERT_ORDER
constexpr Statement order_is_there{"SELECT 1 FROM orders WHERE id = ?1"};
// With the state of its living attempt.
constexpr Statement select_order{
    "SELECT account, amount, expires_us, state, (SELECT state FROM attempts WHERE order_id = ?1 "
    "AND state IN (0, 1)) FROM orders WHERE id = ?1"};
// An attempt that is being started is seen by whoever cancels its order, and the other way round.
constexpr Statement lock_order{"SELECT 1 FROM orders WHERE id = ?1",
                               "SELECT 1 FROM orders WHERE id = ?1 FOR UPDATE"};
constexpr Statement withdraw{"UPDATE orders SET state = 1 WHERE id = ?1 AND state IN (0, 3)"};
constexpr Statement cancel{"UPDATE orders SET state = 3 WHERE id = ?1 AND state = 0"};
constexpr Statement reopen{"UPDATE orders SET state = 0 WHERE id = ?1 AND state = 3"};
// Of an open order of that account, for whoever has claimed the key, unless another attempt lives.
// (A key without an answer is an attempt's that lives, or was claimed just now.) One that is seen
// to live is not waited for: who settles it comes to the key behind it.
#define ATTEMPT_OF_OPEN_ORDER                                                                      \
    "INSERT INTO attempts (id, order_id, account, amount, state, fence, created_us, key, "         \
    "body_sha256) SELECT ?1, id, account, amount, 0, 0, ?4, ?5, ?6 FROM orders "                   \
    "WHERE id = ?2 AND account = ?3 AND state = 0 AND EXISTS (SELECT 1 FROM idempotency AS i "     \
    "WHERE i.account = ?3 AND i.route = ?7 AND i.key = ?5 AND i.status IS NULL "                   \
    "AND i.body_sha256 = ?6) AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.order_id = ?2 "   \
    "AND a.state IN (0, 1)) "
#define UNLESS_ONE_LIVES "ON CONFLICT DO NOTHING RETURNING amount"
constexpr Statement insert_attempt{ATTEMPT_OF_OPEN_ORDER UNLESS_ONE_LIVES,
                                   ATTEMPT_OF_OPEN_ORDER "FOR SHARE OF orders " UNLESS_ONE_LIVES};
#undef UNLESS_ONE_LIVES
#undef ATTEMPT_OF_OPEN_ORDER
constexpr Statement living{"SELECT state FROM attempts WHERE order_id = ?1 AND state IN (0, 1)"};
// Both postings of an entry in one statement, of one amount: they cannot but balance.
constexpr Statement post{
    "INSERT INTO ledger (entry, posting, account, amount, at_us) VALUES "
    "(?1, ?2, 'acquirer', ?3, ?4), (?1, ?2 + 1, 'customers', -?3, ?4) ON CONFLICT DO NOTHING"};
constexpr Statement select_faults{
    "SELECT count(*) FROM (SELECT 1 FROM ledger GROUP BY entry HAVING sum(amount) <> 0) faults"};
constexpr Statement insert_refund{
    "INSERT INTO refunds (payment, order_id, amount, done, wanted_us) VALUES (?1, ?2, ?3, 0, ?4) "
    "ON CONFLICT DO NOTHING"};
constexpr Statement select_refunds{
    "SELECT payment FROM refunds WHERE done = 0 ORDER BY wanted_us LIMIT ?1"};
constexpr Statement end_refund{"UPDATE refunds SET done = 1 WHERE payment = ?1 AND done = 0 "
                               "RETURNING order_id, amount"};
#define ATTEMPT_COLUMNS "id, order_id, account, amount, state, created_us, key, body_sha256"
constexpr Statement set_attempt{"UPDATE attempts SET state = ?3, fence = ?4 "
                                "WHERE id = ?1 AND state = ?2 RETURNING " ATTEMPT_COLUMNS};
constexpr Statement one_attempt{"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE id = ?1"};
constexpr Statement of_account{"SELECT " ATTEMPT_COLUMNS " FROM attempts "
                               "WHERE account = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"};
constexpr Statement old_ones{"SELECT " ATTEMPT_COLUMNS " FROM attempts "
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

constexpr int posting_capture = 0, posting_refund = 2;

// What the acquirer owes us against what we owe the customer; a refund turns it round.
Query post_entry(Tx& tx, const PaymentId& payment, int posting, Won amount) {
    const Won owed = posting == posting_refund ? Won{} - amount : amount;
    return tx.run(post, {payment, posting, owed, tx.now});
}

OutboxEvent event_of(const OrderId& order, std::string_view type, std::string_view data) {
    return {topic_reservation, order.bytes, type, 1, data, ""};
}

struct Outcome {
    std::string_view type;
    std::string data;
};
Outcome outcome_of(const Attempt& a, const Settlement& s) {
    if (s.event == AttemptEvent::captured)
        return {PaymentCaptured::type, to_json(PaymentCaptured{a.order, a.id, s.fence, a.amount})};
    return {PaymentFailed::type, to_json(PaymentFailed{a.order, s.fence, true})};
}

// The attempt has an outcome already; money that comes all the same goes back.
Task<Result<Attempt>> settle_late(Tx& tx, const Settlement& s) {
    Attempt a = TRY(co_await find_attempt(tx, s.attempt));
    const auto next = after(a.state, s.event);
    if (!next) co_return a;
    Query set = tx.run(set_attempt, {a.id, int(a.state), int(*next), s.fence});
    Query posted = post_entry(tx, a.id, posting_capture, a.amount);
    Query wanted = tx.run(insert_refund, {a.id, a.order, a.amount, tx.now});
    TRY(co_await set.with(posted).with(wanted).and_commit());
    a.state = *next;
    co_return a;
}

// Why no attempt could start.
Task<Result<Started>> refuse_start(Tx& tx, OrderId id, AccountId account) {
    const Order order = TRY(co_await find_order(tx, id));
    if (order.account != account) co_return fail(Code::NOT_FOUND);
    if (order.state == OrderState::captured) co_return fail(Code::PAYMENT_ALREADY_CAPTURED);
    if (order.state == OrderState::withdrawn) co_return fail(Code::HOLD_EXPIRED);
    if (order.state == OrderState::cancelled) co_return fail(Code::PAYMENT_NOT_READY);
    co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
}

} // namespace

std::string attempt_json(const Attempt& a) {
    return "{\"id\":\"" + a.id.text() + "\",\"orderId\":\"" + a.order.text() + "\",\"state\":\"" +
           std::string(state_name(a.state)) + "\",\"amount\":" + std::to_string(a.amount.amount) +
           ",\"currency\":\"KRW\",\"createdAt\":\"" + to_rfc3339(a.created) + "\"}";
}

Task<Result<bool>> put_order(Tx& tx, Order order) {
    Query put = tx.run(insert_order, {order.id, order.account, order.amount, order.expires});
    Query there = tx.run(order_is_there, {order.id});
    TRY(co_await put.with(there).and_commit());
    co_return !TRY(std::move(there.result)).empty();
}

Task<Result<bool>> withdraw_order(Tx& tx, OrderId id) {
    TRY(co_await tx.run(withdraw, {id}).and_commit());
    co_return true;
}

Task<Result<Order>> find_order(Tx& tx, OrderId id) {
    const Rows rows = TRY(co_await tx.run(select_order, {id}).and_end_reading());
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    Order order{id, rows.id<AccountId>(0, 0), rows.won(0, 1), rows.instant(0, 2),
                OrderState(rows.integer(0, 3))};
    if (!rows.is_null(0, 4) && rows.integer(0, 4) == int(AttemptState::captured))
        order.state = OrderState::captured;
    co_return order;
}

Task<Result<Order>> reopen_order(Tx& tx, OrderId id) {
    TRY(co_await tx.run(reopen, {id}));
    co_return TRY(co_await find_order(tx, id));
}

Task<Result<Order>> cancel_order(Tx& tx, OrderId id) {
    TRY(co_await tx.run(lock_order, {id}));
    Order order = TRY(co_await find_order(tx, id));
    if (order.state == OrderState::captured) co_return fail(Code::PAYMENT_ALREADY_CAPTURED);
    if (!TRY(co_await tx.run(living, {id})).empty())
        co_return fail(Error(Code::PAYMENT_OUTCOME_PENDING).retry_after(2));
    if (TRY(co_await tx.run(cancel, {id})).changes() == 1) order.state = OrderState::cancelled;
    co_return order;
}

Task<Result<Started>> start_attempt(Tx& tx, PaymentId id, OrderId order, IdempotencyKey key) {
    Started started;
    const std::span<const unsigned char> digest(key.body_sha256);
    Query attempt =
        tx.run(insert_attempt, {id, order, key.account, tx.now, key.key, digest, key.route});
    started.answer = TRY(co_await claim_attempt(tx, key, &attempt));
    const Rows rows = TRY(std::move(attempt.result));
    if (started.answer && rows.empty()) co_return started;
    if (started.answer) co_return fail(Code::INTERNAL, "an attempt was begun by an old key");
    if (rows.empty()) co_return TRY(co_await refuse_start(tx, order, key.account));
    const AccountId account = key.account;
    started.attempt = {id,     order,         account, rows.won(0, 0), AttemptState::started,
                       tx.now, std::move(key)};
    co_return started;
}

Task<Result<Attempt>> settle_attempt(Tx& tx, Settlement s) {
    const auto next = after(AttemptState::started, s.event);
    if (!next) co_return fail(Code::INTERNAL, "no such outcome of an attempt");
    const Rows rows = TRY(
        co_await tx.run(set_attempt, {s.attempt, int(AttemptState::started), int(*next), s.fence}));
    if (rows.empty()) co_return TRY(co_await settle_late(tx, s));
    const Attempt a = attempt_of(rows, 0);
    const bool captured = s.event == AttemptEvent::captured;
    const Outcome outcome = outcome_of(a, s);
    const OutboxEvent event = event_of(a.order, outcome.type, outcome.data);
    const std::string answer = attempt_json(a);
    std::vector<Query> written;
    if (captured) written.push_back(post_entry(tx, a.id, posting_capture, a.amount));
    if (s.announce) {
        AppendedEvent told = append_later(tx, s.message, event);
        written.push_back(std::move(told.numbered));
        written.push_back(std::move(told.put));
    }
    if (s.event == AttemptEvent::refused) // nothing happened: the key is free again
        written.push_back(forget_attempt(tx, a.key));
    else
        written.push_back(keep_answer(tx, a.key, captured ? 200 : 409, answer));
    TRY(co_await together(written).and_commit());
    co_return a;
}

Task<Result<bool>> want_refund(Tx& tx, PaymentId payment) {
    const auto a = co_await find_attempt(tx, payment);
    if (!a || !after(a->state, AttemptEvent::refunded)) co_return false;
    TRY(co_await tx.run(insert_refund, {a->id, a->order, a->amount, tx.now}).and_commit());
    co_return true;
}

Task<Result<bool>> note_unknown_money(Tx& tx, PaymentId payment, Won amount) {
    Query wanted = tx.run(insert_refund, {payment, nullptr, amount, tx.now});
    Query posted = post_entry(tx, payment, posting_capture, amount);
    const Rows rows = TRY(co_await wanted.with(posted).and_commit());
    co_return rows.changes() == 1;
}

Task<Result<std::vector<PaymentId>>> wanted_refunds(Tx& tx, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(select_refunds, {most}));
    std::vector<PaymentId> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(rows.id<PaymentId>(i, 0));
    co_return all;
}

Task<Result<bool>> note_refunded(Tx& tx, PaymentId payment, MessageId message) {
    const Rows rows = TRY(co_await tx.run(end_refund, {payment}));
    if (rows.empty()) co_return false;
    const Won amount = rows.won(0, 1);
    TRY(co_await post_entry(tx, payment, posting_refund, amount));
    if (rows.is_null(0, 0)) co_return true;
    const auto order = rows.id<OrderId>(0, 0);
    for (const AttemptState from : {AttemptState::captured, AttemptState::stray})
        TRY(co_await tx.run(set_attempt, {payment, int(from), int(AttemptState::refunded), 0}));
    const std::string data = to_json(PaymentRefunded{order, payment, amount});
    TRY(co_await append_event(tx, message, event_of(order, PaymentRefunded::type, data)));
    co_return true;
}

Task<Result<Attempt>> find_attempt(Tx& tx, PaymentId id) {
    const Rows rows = TRY(co_await tx.run(one_attempt, {id}).and_end_reading());
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return attempt_of(rows, 0);
}

Task<Result<std::vector<Attempt>>> attempts_of(Tx& tx, AccountId account, Page page) {
    const Rows rows =
        TRY(co_await tx.run(of_account, {account, page.before, page.limit_and_one()}));
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

Task<Result<std::int64_t>> ledger_faults(Tx& tx) {
    co_return TRY(co_await tx.run(select_faults)).integer(0, 0);
}

} // namespace urr::payment
