#include "services/ticket/store/hold_batch.hpp"

#include <algorithm>
#include <map>

#include "libs/sql/array.hpp"
#include "libs/sql/outbox.hpp"
#include "services/ticket/store/hold_rules.hpp"

namespace urr::ticket {

namespace {

constexpr auto take = move(SeatState::available, SeatEvent::hold);

// LATERAL keeps the order of locking and the plan: a join could be made over the whole table.
// Several unnest() beside each other give rows as unnest(…, …) does, and keep none of them in
// between.
constexpr Statement lock_free_seats{
    "SELECT s.event, s.seat, s.version FROM (SELECT unnest(?1::bytea[]) AS event, "
    "unnest(?2::bigint[]) AS seat) AS q, LATERAL (SELECT event, seat, version FROM seats "
    "WHERE seats.event = q.event AND seats.seat = q.seat "
    "AND (state = ?4 OR (state = ?5 AND hold_until_us <= ?3)) FOR UPDATE) AS s"};
constexpr Statement lock_accounts{
    "SELECT a.event, a.account, a.seats, a.paused_until_us FROM (SELECT unnest(?1::bytea[]) "
    "AS event, unnest(?2::bytea[]) AS account) AS q, LATERAL (SELECT * FROM accounts "
    "WHERE accounts.event = q.event AND accounts.account = q.account FOR UPDATE) AS a"};
// Behind the locks of the seats: who changes an event has all of them.
constexpr Statement versions_of_events{
    "SELECT id, version FROM events WHERE id = ANY(?1::bytea[])"};
// The rows are there, and locked. An UPDATE … FROM would be a join, whose plan may go over the
// whole table where the statistics are those of an empty one; this goes by the key, whatever they
// say.
constexpr Statement write_seats{
    "INSERT INTO seats (event, seat, state, version, hold_until_us, reservation) "
    "SELECT unnest(?1::bytea[]), unnest(?2::bigint[]), ?6, unnest(?3::bigint[]), "
    "unnest(?4::bigint[]), unnest(?5::bytea[]) "
    "ON CONFLICT (event, seat) DO UPDATE SET state = excluded.state, version = excluded.version, "
    "hold_until_us = excluded.hold_until_us, reservation = excluded.reservation"};
// CONFLICT when another process has just made one of them.
constexpr Statement make_accounts{
    "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "SELECT unnest(?1::bytea[]), unnest(?2::bytea[]), unnest(?3::bigint[]), 0, 0"};
// Locked as well.
constexpr Statement count_accounts{
    "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "SELECT unnest(?1::bytea[]), unnest(?2::bytea[]), unnest(?3::bigint[]), 0, 0 "
    "ON CONFLICT (event, account) DO UPDATE SET seats = excluded.seats"};
constexpr Statement make_reservations{
    "INSERT INTO reservations (id, event, account, state, seats, amount, created_us, expires_us, "
    "fence, declines) SELECT unnest(?1::bytea[]), unnest(?2::bytea[]), unnest(?3::bytea[]), 0, "
    "unnest(?4::text[]), unnest(?5::bigint[]), ?7, unnest(?6::bigint[]), 0, 0"};

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
    std::vector<AccountKey> accounts_wanted() const;
    std::vector<EventId> events() const;
    void add_version(const EventId& event, std::int64_t version) { versions_[event] = version; }
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
    std::map<EventId, std::int64_t> versions_;
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

template <class Key>
std::vector<Key> each_once(std::vector<Key> all) {
    std::ranges::sort(all);
    const auto rest = std::ranges::unique(all);
    all.erase(rest.begin(), rest.end());
    return all;
}

std::vector<SeatKey> Batch::seats() const {
    std::vector<SeatKey> all;
    for (const HoldOrder& order : orders_)
        for (const std::int64_t seat : order.seats) all.emplace_back(order.event, seat);
    return each_once(std::move(all));
}

std::vector<AccountKey> Batch::accounts_wanted() const {
    std::vector<AccountKey> all;
    for (const HoldOrder& order : orders_) all.emplace_back(order.event, order.account);
    return each_once(std::move(all));
}

std::vector<EventId> Batch::events() const {
    std::vector<EventId> all;
    for (const HoldOrder& order : orders_) all.push_back(order.event);
    return each_once(std::move(all));
}

bool Batch::all_free(const HoldOrder& order) const {
    return std::ranges::all_of(
        order.seats, [&](std::int64_t seat) { return free_.contains({order.event, seat}); });
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
    const auto version = versions_.find(order.event);
    const bool same = version != versions_.end() && version->second == order.event_version;
    if (order.event_version != 0 && !same) return fail(Code::PRECONDITION_FAILED);
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

// The rows that decide, in one exchange. Keys are looked for last, when the locks were had.
Task<Result<void>> read(Tx& tx, Batch& batch, const std::vector<HoldOrder>& orders) {
    BytesArray events;
    IntegerArray numbers;
    for (const auto& [event, seat] : batch.seats()) {
        events.add(event);
        numbers.add(seat);
    }
    BytesArray events_of, accounts_of;
    for (const auto& [event, account] : batch.accounts_wanted()) {
        events_of.add(event);
        accounts_of.add(account);
    }
    KeyList keys;
    for (const HoldOrder& order : orders) keys.add(order.key, "");
    BytesArray all_events;
    for (const EventId& event : batch.events()) all_events.add(event);
    Query seats = tx.run(lock_free_seats, {events, numbers, tx.now, int(take.from), int(take.to)});
    Query accounts = tx.run(lock_accounts, {events_of, accounts_of});
    Query answers = look_for_answers(tx, keys);
    Query versions = tx.run(versions_of_events, {all_events});
    const Rows rows = TRY(co_await seats.with(accounts).with(answers).with(versions));
    const Rows events_now = TRY(std::move(versions.result));
    for (std::size_t i = 0; i < events_now.size(); ++i)
        batch.add_version(events_now.id<EventId>(i, 0), events_now.integer(i, 1));
    for (std::size_t i = 0; i < rows.size(); ++i)
        batch.add_free({rows.id<EventId>(i, 0), rows.integer(i, 1)}, rows.integer(i, 2));
    const Rows known = TRY(std::move(accounts.result));
    for (std::size_t i = 0; i < known.size(); ++i)
        batch.add_account({known.id<EventId>(i, 0), known.id<AccountId>(i, 1)},
                          {known.integer(i, 2), known.instant(i, 3), true, false});
    for (FoundAnswer& found : found_answers(TRY(std::move(answers.result)))) {
        if (found.expires <= tx.now)
            TRY(co_await drop_expired_answer(tx, found.key));
        else
            batch.add_kept(std::move(found));
    }
    co_return Result<void>{};
}

// What the batch has decided, as arrays.
struct Written {
    BytesArray seat_events, seat_reservations;
    IntegerArray seat_numbers, seat_versions, seat_untils;
    BytesArray new_events, new_accounts, old_events, old_accounts;
    IntegerArray new_counts, old_counts;
    BytesArray ids, events, account_ids;
    TextArray seat_texts;
    IntegerArray amounts, expires;
    FirstEvents told;
    KeyList keys;

    void add(const Held& held, const HoldOrder& order) {
        const Reservation& r = held.reservation;
        for (const SeatChange& change : held.changes) {
            seat_events.add(r.event);
            seat_numbers.add(change.seat);
            seat_versions.add(change.version);
            seat_untils.add(r.expires);
            seat_reservations.add(r.id);
        }
        ids.add(r.id);
        events.add(r.event);
        account_ids.add(r.account);
        seat_texts.add(seats_text(r.seats));
        amounts.add(r.amount.amount);
        expires.add(r.expires);
        told.add(order.message, r.id.bytes, to_json(payment_request(r)));
        keys.add(order.key, r.id.text());
    }
    void add(const AccountKey& key, const AccountRow& row) {
        if (!row.changed) return;
        (row.known ? old_events : new_events).add(key.first);
        (row.known ? old_accounts : new_accounts).add(key.second);
        (row.known ? old_counts : new_counts).add(row.seats);
    }
};

// In one exchange.
Task<Result<void>> write(Tx& tx, Batch& batch, const std::vector<HoldOrder>& orders) {
    Written w;
    for (const std::size_t at : batch.accepted()) w.add(*batch.outcome(at), orders[at]);
    for (const auto& [key, row] : batch.accounts()) w.add(key, row);
    Query seats = tx.run(write_seats, {w.seat_events, w.seat_numbers, w.seat_versions,
                                       w.seat_untils, w.seat_reservations, int(take.to)});
    Query made = tx.run(make_accounts, {w.new_events, w.new_accounts, w.new_counts});
    Query counted = tx.run(count_accounts, {w.old_events, w.old_accounts, w.old_counts});
    Query reservations = tx.run(make_reservations, {w.ids, w.events, w.account_ids, w.seat_texts,
                                                    w.amounts, w.expires, tx.now});
    Query told = append_first_events(tx, topic_payment, PaymentRequested::type, 1, w.told);
    Query keys = keep_answers(tx, 201, w.keys);
    seats.with(reservations).with(told).with(keys);
    if (w.new_counts.size() > 0) seats.with(made);
    if (w.old_counts.size() > 0) seats.with(counted);
    TRY(co_await seats.and_commit());
    co_return Result<void>{};
}

} // namespace

Task<Result<HoldOutcomes>> hold_many(Tx& tx, const std::vector<HoldOrder>& orders) {
    Batch batch(orders, tx.now);
    TRY(co_await read(tx, batch, orders));
    batch.decide();
    for (const auto& [order, id] : batch.repeated())
        batch.set(order, Held{TRY(co_await find_reservation(tx, id)), {}, true});
    if (!batch.accepted().empty()) TRY(co_await write(tx, batch, orders));
    co_return batch.finish();
}

} // namespace urr::ticket
