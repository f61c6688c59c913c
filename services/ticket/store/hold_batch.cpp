#include "services/ticket/store/hold_batch.hpp"

#include <algorithm>
#include <map>

#include "libs/sql/array_text.hpp"
#include "libs/sql/outbox.hpp"
#include "services/ticket/store/hold_rules.hpp"

namespace urr::ticket {

namespace {

constexpr auto take = move(SeatState::available, SeatEvent::hold);

// LATERAL keeps the order of locking and the plan: a join would be made over the whole table.
constexpr Statement lock_free_seats{
    "SELECT s.event, s.seat, s.version FROM unnest(?1::text::bytea[], ?2::text::bigint[]) "
    "AS q(event, seat), LATERAL (SELECT event, seat, version FROM seats "
    "WHERE seats.event = q.event AND seats.seat = q.seat "
    "AND (state = ?4 OR (state = ?5 AND hold_until_us <= ?3)) FOR UPDATE) AS s"};
constexpr Statement lock_accounts{
    "SELECT a.event, a.account, a.seats, a.paused_until_us "
    "FROM unnest(?1::text::bytea[], ?2::text::bytea[]) AS q(event, account), "
    "LATERAL (SELECT * FROM accounts WHERE accounts.event = q.event "
    "AND accounts.account = q.account FOR UPDATE) AS a"};
constexpr Statement write_seats{
    "UPDATE seats SET state = ?5, version = version + 1, hold_until_us = q.until, "
    "reservation = q.reservation FROM unnest(?1::text::bytea[], ?2::text::bigint[], "
    "?3::text::bigint[], ?4::text::bytea[]) AS q(event, seat, until, reservation) "
    "WHERE seats.event = q.event AND seats.seat = q.seat"};
// New accounts, counts of known ones, reservations; tells how many accounts were written.
constexpr Statement write_rest{
    "WITH made AS (INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "SELECT event, account, seats, 0, 0 FROM unnest(?1::text::bytea[], ?2::text::bytea[], "
    "?3::text::bigint[]) AS q(event, account, seats) ON CONFLICT DO NOTHING RETURNING 1), "
    "counted AS (UPDATE accounts SET seats = q.seats FROM unnest(?4::text::bytea[], "
    "?5::text::bytea[], ?6::text::bigint[]) AS q(event, account, seats) "
    "WHERE accounts.event = q.event AND accounts.account = q.account RETURNING 1), "
    "reserved AS (INSERT INTO reservations (id, event, account, state, seats, amount, created_us, "
    "expires_us, fence, declines) SELECT id, event, account, 0, seats, amount, ?13, expires, 0, 0 "
    "FROM unnest(?7::text::bytea[], ?8::text::bytea[], ?9::text::bytea[], ?10::text::text[], "
    "?11::text::bigint[], ?12::text::bigint[]) AS q(id, event, account, seats, amount, expires)) "
    "SELECT (SELECT count(*) FROM made) + (SELECT count(*) FROM counted)"};

using SeatKey = std::pair<EventId, std::int64_t>;
using AccountKey = std::pair<EventId, AccountId>;

struct AccountRow {
    std::int64_t seats = 0;
    Instant paused_until;
    bool known = false, changed = false;
};

// What the locked rows say, and what the orders make of them.
class Batch {
public:
    Batch(const std::vector<HoldOrder>& orders, Instant now)
        : orders_(orders), now_(now), outcomes_(orders.size()) {}

    // Sorted, so that two batches lock in one order.
    std::vector<SeatKey> seats() const;
    std::vector<AccountKey> accounts_of_candidates() const;
    void add_free(const SeatKey& seat, std::int64_t version) { free_.emplace(seat, version); }
    void add_account(const AccountKey& account, AccountRow row) { accounts_[account] = row; }
    void add_kept(FoundAnswer found) { kept_.push_back(std::move(found)); }

    // Every order in its turn: the first wins.
    void decide();

    struct Repeated {
        std::size_t order;
        ReservationId of;
    };
    const std::vector<Repeated>& repeated() const { return repeated_; }
    const std::vector<std::size_t>& accepted() const { return accepted_; }
    const std::map<AccountKey, AccountRow>& accounts() const { return accounts_; }
    Result<Held>& outcome(std::size_t order) { return *outcomes_[order]; }
    void set(std::size_t order, Result<Held> outcome) { outcomes_[order] = std::move(outcome); }
    HoldOutcomes finish();

private:
    bool all_free(const HoldOrder& order) const;
    bool answered_before(std::size_t at);
    Result<Held> hold(const HoldOrder& order);
    Result<Held> taken(const HoldOrder& order) const;

    const std::vector<HoldOrder>& orders_;
    const Instant now_;
    std::map<SeatKey, std::int64_t> free_;
    std::map<AccountKey, AccountRow> accounts_;
    std::vector<FoundAnswer> kept_;
    std::vector<std::optional<Result<Held>>> outcomes_;
    std::vector<std::size_t> accepted_;
    std::vector<Repeated> repeated_;
};

bool same_key(const IdempotencyKey& a, const IdempotencyKey& b) {
    return a.account == b.account && a.key == b.key && a.route == b.route;
}

std::vector<SeatKey> Batch::seats() const {
    std::vector<SeatKey> all;
    for (const HoldOrder& order : orders_)
        for (const std::int64_t seat : order.seats) all.emplace_back(order.event, seat);
    std::ranges::sort(all);
    const auto rest = std::ranges::unique(all);
    all.erase(rest.begin(), rest.end());
    return all;
}

bool Batch::all_free(const HoldOrder& order) const {
    return std::ranges::all_of(
        order.seats, [&](std::int64_t seat) { return free_.contains({order.event, seat}); });
}

std::vector<AccountKey> Batch::accounts_of_candidates() const {
    std::vector<AccountKey> all;
    for (const HoldOrder& order : orders_)
        if (all_free(order)) all.emplace_back(order.event, order.account);
    std::ranges::sort(all);
    const auto rest = std::ranges::unique(all);
    all.erase(rest.begin(), rest.end());
    return all;
}

// By an earlier request, or by an earlier order of this batch.
bool Batch::answered_before(std::size_t at) {
    const HoldOrder& order = orders_[at];
    for (const FoundAnswer& found : kept_) {
        if (!same_key(found.key, order.key)) continue;
        const auto id = found.kept ? ReservationId::parse(found.kept->body) : std::nullopt;
        if (found.key.body_sha256 != order.key.body_sha256)
            set(at, fail(Code::IDEMPOTENCY_KEY_REUSED));
        else if (!found.kept)
            set(at, fail(Error(Code::IDEMPOTENCY_IN_PROGRESS).retry_after(1)));
        else if (!id)
            set(at, fail(Code::INTERNAL, "a kept answer is not an id"));
        else
            repeated_.push_back({at, *id});
        return true;
    }
    for (const std::size_t first : accepted_) {
        if (!same_key(orders_[first].key, order.key)) continue;
        if (orders_[first].key.body_sha256 != order.key.body_sha256)
            set(at, fail(Code::IDEMPOTENCY_KEY_REUSED));
        else
            set(at, Held{outcome(first)->reservation, {}, true});
        return true;
    }
    return false;
}

Result<Held> Batch::taken(const HoldOrder& order) const {
    std::vector<std::int64_t> gone;
    for (const std::int64_t seat : order.seats)
        if (!free_.contains({order.event, seat})) gone.push_back(seat);
    return fail(Code::SEAT_TAKEN, "seats " + seats_text(gone));
}

Result<Held> Batch::hold(const HoldOrder& order) {
    TRY_PLAIN(may_hold(order, now_));
    if (!all_free(order)) return taken(order);
    AccountRow& account = accounts_[{order.event, order.account}];
    if (account.paused_until > now_) return booking_paused(account.paused_until, now_);
    if (account.seats + std::ssize(order.seats) > order.seats_per_person) return seat_limit(order);
    account.seats += std::ssize(order.seats);
    account.changed = true;
    Held held{reservation_for(order, now_), {}, false};
    for (const std::int64_t seat : order.seats) {
        const auto row = free_.find({order.event, seat});
        held.changes.push_back({order.event, seat, take.to, row->second + 1});
        free_.erase(row);
    }
    return held;
}

void Batch::decide() {
    for (std::size_t at = 0; at < orders_.size(); ++at) {
        if (answered_before(at)) continue;
        set(at, hold(orders_[at]));
        if (outcome(at)) accepted_.push_back(at);
    }
}

HoldOutcomes Batch::finish() {
    HoldOutcomes all;
    all.reserve(outcomes_.size());
    for (auto& outcome : outcomes_) all.push_back(std::move(*outcome));
    return all;
}

Task<Result<void>> read_seats(Tx& tx, Batch& batch) {
    ArrayText events, numbers;
    for (const auto& [event, seat] : batch.seats()) {
        events.add(event);
        numbers.add(seat);
    }
    const Rows rows = TRY(
        co_await tx.run(lock_free_seats, {events, numbers, tx.now, int(take.from), int(take.to)}));
    for (std::size_t i = 0; i < rows.size(); ++i)
        batch.add_free({rows.id<EventId>(i, 0), rows.integer(i, 1)}, rows.integer(i, 2));
    co_return Result<void>{};
}

Task<Result<void>> read_keys(Tx& tx, Batch& batch, const std::vector<HoldOrder>& orders) {
    KeyList keys;
    for (const HoldOrder& order : orders) keys.add(order.key, "");
    for (FoundAnswer& found : TRY(co_await find_answers(tx, std::move(keys))))
        batch.add_kept(std::move(found));
    co_return Result<void>{};
}

Task<Result<void>> read_accounts(Tx& tx, Batch& batch) {
    const std::vector<AccountKey> wanted = batch.accounts_of_candidates();
    if (wanted.empty()) co_return Result<void>{};
    ArrayText events, accounts;
    for (const auto& [event, account] : wanted) {
        events.add(event);
        accounts.add(account);
    }
    const Rows rows = TRY(co_await tx.run(lock_accounts, {events, accounts}));
    for (std::size_t i = 0; i < rows.size(); ++i)
        batch.add_account({rows.id<EventId>(i, 0), rows.id<AccountId>(i, 1)},
                          {rows.integer(i, 2), rows.instant(i, 3), true, false});
    co_return Result<void>{};
}

Task<Result<void>> write_held_seats(Tx& tx, Batch& batch) {
    ArrayText events, numbers, untils, reservations;
    std::int64_t count = 0;
    for (const std::size_t at : batch.accepted()) {
        const Reservation& r = batch.outcome(at)->reservation;
        for (const std::int64_t seat : r.seats) {
            events.add(r.event);
            numbers.add(seat);
            untils.add(r.expires);
            reservations.add(r.id);
            ++count;
        }
    }
    const Rows rows =
        TRY(co_await tx.run(write_seats, {events, numbers, untils, reservations, int(take.to)}));
    if (rows.changes() != count) co_return fail(Code::INTERNAL, "a locked seat was not written");
    co_return Result<void>{};
}

Task<Result<void>> write_reservations(Tx& tx, Batch& batch) {
    ArrayText new_events, new_accounts, new_counts, old_events, old_accounts, old_counts;
    std::int64_t count = 0;
    for (const auto& [key, account] : batch.accounts()) {
        if (!account.changed) continue;
        (account.known ? old_events : new_events).add(key.first);
        (account.known ? old_accounts : new_accounts).add(key.second);
        (account.known ? old_counts : new_counts).add(account.seats);
        ++count;
    }
    ArrayText ids, events, accounts, seats, amounts, expires;
    for (const std::size_t at : batch.accepted()) {
        const Reservation& r = batch.outcome(at)->reservation;
        ids.add(r.id);
        events.add(r.event);
        accounts.add(r.account);
        seats.add(seats_text(r.seats));
        amounts.add(r.amount.amount);
        expires.add(r.expires);
    }
    const Rows rows = TRY(co_await tx.run(
        write_rest, {new_events, new_accounts, new_counts, old_events, old_accounts, old_counts,
                     ids, events, accounts, seats, amounts, expires, tx.now}));
    if (rows.empty() || rows.integer(0, 0) != count)
        co_return fail(Code::CONFLICT, "another process has just made an account's row");
    co_return Result<void>{};
}

Task<Result<void>> write_events_and_keys(Tx& tx, Batch& batch,
                                         const std::vector<HoldOrder>& orders) {
    FirstEvents events;
    KeyList keys;
    for (const std::size_t at : batch.accepted()) {
        const Reservation& r = batch.outcome(at)->reservation;
        events.add(orders[at].message, r.id.bytes, to_json(payment_request(r)));
        keys.add(orders[at].key, r.id.text());
    }
    TRY(co_await append_first_events(tx, topic_payment, PaymentRequested::type, 1,
                                     std::move(events)));
    TRY(co_await keep_answers(tx, 201, std::move(keys)));
    co_return Result<void>{};
}

} // namespace

Task<Result<HoldOutcomes>> hold_many(Tx& tx, const std::vector<HoldOrder>& orders) {
    Batch batch(orders, tx.now);
    TRY(co_await read_seats(tx, batch));
    TRY(co_await read_accounts(tx, batch));
    TRY(co_await read_keys(tx, batch, orders));
    batch.decide();
    for (const auto& [order, id] : batch.repeated())
        batch.set(order, Held{TRY(co_await find_reservation(tx, id)), {}, true});
    if (!batch.accepted().empty()) {
        TRY(co_await write_held_seats(tx, batch));
        TRY(co_await write_reservations(tx, batch));
        TRY(co_await write_events_and_keys(tx, batch, orders));
    }
    co_return batch.finish();
}

} // namespace urr::ticket
