#include "services/ticket/store/reservations.hpp"

#include "libs/sql/outbox.hpp"
#include "services/ticket/store/hold_rules.hpp"

namespace urr::ticket {

namespace {

// A held seat whose time is over counts as free.
constexpr Statement take_seat{
    "UPDATE seats SET state = ?6, version = version + 1, hold_until_us = ?3, reservation = ?4 "
    "WHERE event = ?1 AND seat = ?2 AND (state = ?7 OR (state = ?6 AND hold_until_us <= ?5)) "
    "RETURNING version"};
// Moves a seat of a reservation from one state to another; nothing if it is not there any more.
constexpr Statement move_seat{
    "UPDATE seats SET state = ?5, version = version + 1, hold_until_us = ?6 "
    "WHERE event = ?1 AND seat = ?2 AND reservation = ?3 AND state = ?4 RETURNING version"};

constexpr Statement version_of_event{"SELECT version FROM events WHERE id = ?1"};
// Counts seats to an account, unless that is too many or the account is paused.
constexpr Statement count_seats{
    "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "VALUES (?1, ?2, ?3, 0, 0) ON CONFLICT (event, account) DO UPDATE SET "
    "seats = accounts.seats + ?3 "
    "WHERE accounts.seats + ?3 <= ?4 AND accounts.paused_until_us <= ?5"};
constexpr Statement find_pause{
    "SELECT paused_until_us FROM accounts WHERE event = ?1 AND account = ?2"};
constexpr Statement find_holders{"SELECT account FROM accounts WHERE event = ?1 LIMIT ?2"};
constexpr Statement uncount_seats{
    "UPDATE accounts SET seats = seats - ?3 WHERE event = ?1 AND account = ?2"};
constexpr Statement count_lapse{
    "UPDATE accounts SET seats = seats - ?3, "
    "lapses = CASE WHEN lapses + 1 >= ?4 THEN 0 ELSE lapses + 1 END, "
    "paused_until_us = CASE WHEN lapses + 1 >= ?4 THEN ?5 ELSE paused_until_us END "
    "WHERE event = ?1 AND account = ?2"};

constexpr Statement insert_reservation{
    "INSERT INTO reservations (id, event, account, state, seats, amount, created_us, expires_us, "
    "fence, declines) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, 0, 0)"};
#define RESERVATION_COLUMNS                                                                        \
    "id, event, account, state, seats, amount, created_us, expires_us, fence, attempt, declines, " \
    "payment"
constexpr Statement find_one{"SELECT " RESERVATION_COLUMNS " FROM reservations WHERE id = ?1"};
// For whoever changes it afterwards.
constexpr Statement lock_one{"SELECT " RESERVATION_COLUMNS " FROM reservations WHERE id = ?1",
                             "SELECT " RESERVATION_COLUMNS
                             " FROM reservations WHERE id = ?1 FOR UPDATE"};
constexpr Statement find_of_account{"SELECT " RESERVATION_COLUMNS " FROM reservations "
                                    "WHERE account = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"};
constexpr Statement find_due{"SELECT 1 FROM reservations "
                             "WHERE state = 0 AND expires_us <= ?1 LIMIT 1"};
// Those that another process has in hand are its business.
#define DUE_RESERVATIONS                                                                           \
    "SELECT " RESERVATION_COLUMNS " FROM reservations "                                            \
    "WHERE state = 0 AND expires_us <= ?1 ORDER BY expires_us LIMIT ?2"
constexpr Statement lock_due{DUE_RESERVATIONS, DUE_RESERVATIONS " FOR UPDATE SKIP LOCKED"};
#undef DUE_RESERVATIONS
// Each changes only what is in the state that its transition starts from.
constexpr Statement set_state{"UPDATE reservations SET state = ?3 WHERE id = ?1 AND state = ?2"};
constexpr Statement set_begun{
    "UPDATE reservations SET state = ?3, fence = fence + 1, attempt = ?4 "
    "WHERE id = ?1 AND state = ?2 AND expires_us > ?5 RETURNING " RESERVATION_COLUMNS};
constexpr Statement set_declined{"UPDATE reservations SET state = ?3, expires_us = ?4, "
                                 "declines = declines + 1 WHERE id = ?1 AND state = ?2"};
constexpr Statement set_confirmed{
    "UPDATE reservations SET state = ?3, payment = ?4 WHERE id = ?1 AND state = ?2 AND fence = ?5 "
    "AND amount = ?6 RETURNING " RESERVATION_COLUMNS};
#undef RESERVATION_COLUMNS
constexpr Statement insert_ticket{
    "INSERT INTO tickets (id, reservation, event, seat, account, serial, state, created_us) "
    "VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, ?6)"};

struct Full {
    Reservation reservation;
    PaymentId attempt, payment;
    std::int64_t declines = 0;
};

Reservation reservation_of(const Rows& rows, std::size_t row) {
    return {rows.id<ReservationId>(row, 0),
            rows.id<EventId>(row, 1),
            rows.id<AccountId>(row, 2),
            ReservationState(rows.integer(row, 3)),
            seats_of_text(rows.text(row, 4)),
            rows.won(row, 5),
            rows.instant(row, 6),
            rows.instant(row, 7),
            rows.integer(row, 8)};
}

Result<Full> full_of(const Rows& rows) {
    if (rows.empty()) return fail(Code::NOT_FOUND);
    return Full{reservation_of(rows, 0), rows.id<PaymentId>(0, 9), rows.id<PaymentId>(0, 11),
                rows.integer(0, 10)};
}

Task<Result<Full>> find_full(Tx& tx, ReservationId id) {
    co_return full_of(TRY(co_await tx.run(find_one, {id}).and_end_reading()));
}

Task<Result<Full>> lock_full(Tx& tx, ReservationId id) {
    co_return full_of(TRY(co_await tx.run(lock_one, {id})));
}

// Moves all seats of a reservation; `also` travels with them. A seat that another hold took over,
// after this one's time was over, stays as it is.
Task<Result<std::vector<SeatChange>>> move_seats(Tx& tx, const Reservation& r, Move<SeatState> move,
                                                 Instant hold_until, Query* also = nullptr) {
    if (r.seats.empty()) co_return fail(Code::INTERNAL, "a reservation without seats");
    std::vector<Query> moves;
    moves.reserve(r.seats.size());
    for (const std::int64_t seat : r.seats)
        moves.push_back(
            tx.run(move_seat, {r.event, seat, r.id, int(move.from), int(move.to), hold_until}));
    moves.back().also = also;
    moves.front().result = co_await together(moves);
    std::vector<SeatChange> changes;
    changes.reserve(moves.size());
    for (std::size_t i = 0; i < moves.size(); ++i) {
        const Rows rows = TRY(std::move(moves[i].result));
        if (!rows.empty()) changes.push_back({r.event, r.seats[i], move.to, rows.integer(0, 0)});
    }
    co_return changes;
}

// What was read under a lock has changed: a bug, and better an error than a wrong count.
std::unexpected<Error> lock_missed() {
    return fail(Code::INTERNAL, "a locked reservation was changed by another");
}

Task<Result<void>> change_state(Tx& tx, ReservationId id, Move<ReservationState> move) {
    const Rows rows = TRY(co_await tx.run(set_state, {id, int(move.from), int(move.to)}));
    if (rows.changes() != 1) co_return lock_missed();
    co_return Result<void>{};
}

Task<Result<void>> give_back_count(Tx& tx, const Reservation& r) {
    TRY(co_await tx.run(uncount_seats, {r.event, r.account, r.seats.size()}));
    co_return Result<void>{};
}

OutboxEvent event_of(const ReservationId& order, std::string_view type, std::string_view data) {
    return {topic_payment, order.bytes, type, 1, data, ""};
}
Task<Result<void>> announce(Tx& tx, MessageId id, const ReservationId& order, std::string_view type,
                            const std::string& data) {
    return append_event(tx, id, event_of(order, type, data));
}

Task<Result<void>> count_to_account(Tx& tx, const HoldOrder& order) {
    const Rows counted =
        TRY(co_await tx.run(count_seats, {order.event, order.account, order.seats.size(),
                                          order.seats_per_person, tx.now}));
    if (counted.changes() == 1) co_return Result<void>{};
    const Rows rows = TRY(co_await tx.run(find_pause, {order.event, order.account}));
    const Instant until = rows.empty() ? Instant{} : rows.instant(0, 0);
    if (until <= tx.now) co_return seat_limit(order);
    co_return booking_paused(until, tx.now);
}

// Behind the locks of the seats: who changes an event has all of them.
Task<Result<void>> check_version(Tx& tx, const HoldOrder& order) {
    if (order.event_version == 0) co_return Result<void>{};
    const Rows rows = TRY(co_await tx.run(version_of_event, {order.event}));
    if (rows.empty() || rows.integer(0, 0) != order.event_version)
        co_return fail(Code::PRECONDITION_FAILED);
    co_return Result<void>{};
}

} // namespace

std::string seats_text(const std::vector<std::int64_t>& seats) {
    std::string text;
    for (const std::int64_t seat : seats) {
        if (!text.empty()) text += ',';
        text += std::to_string(seat);
    }
    return text;
}

std::vector<std::int64_t> seats_of_text(std::string_view text) {
    std::vector<std::int64_t> seats;
    std::int64_t seat = 0;
    for (const char c : text) {
        if (c == ',') {
            seats.push_back(seat);
            seat = 0;
        } else {
            seat = seat * 10 + (c - '0');
        }
    }
    if (!text.empty()) seats.push_back(seat);
    return seats;
}

namespace {

Task<Result<Held>> kept_reservation(Tx& tx, const KeptAnswer& kept) {
    const auto id = ReservationId::parse(kept.body); // the answer kept is the id
    if (!id) co_return fail(Code::INTERNAL, "a kept answer is not an id");
    co_return Held{TRY(co_await find_reservation(tx, *id)), {}, true};
}

} // namespace

Task<Result<Held>> hold_seats(Tx& tx, HoldOrder order) {
    const std::string id = order.id.text();
    if (const auto first = TRY(co_await claim_key(tx, order.key, 201, id)))
        co_return TRY(co_await kept_reservation(tx, *first));
    if (auto allowed = may_hold(order, tx.now); !allowed)
        co_return fail(std::move(allowed).error());
    Held held;
    held.reservation = reservation_for(order, tx.now);
    const Reservation& r = held.reservation;
    constexpr auto hold = move(SeatState::available, SeatEvent::hold);
    std::string taken;
    held.changes.reserve(r.seats.size());
    for (const std::int64_t seat : r.seats) {
        const Rows rows = TRY(co_await tx.run(
            take_seat, {r.event, seat, r.expires, r.id, tx.now, int(hold.to), int(hold.from)}));
        if (rows.empty())
            taken += (taken.empty() ? "" : ",") + std::to_string(seat);
        else
            held.changes.push_back({r.event, seat, hold.to, rows.integer(0, 0)});
    }
    if (!taken.empty()) co_return fail(Code::SEAT_TAKEN, "seats " + taken);
    TRY(co_await count_to_account(tx, order));
    TRY(co_await check_version(tx, order));
    const std::string seats = seats_text(r.seats);
    TRY(co_await tx.run(insert_reservation,
                        {r.id, r.event, r.account, seats, r.amount, tx.now, r.expires}));
    const std::string data = to_json(payment_request(r));
    TRY(co_await announce(tx, order.message, r.id, PaymentRequested::type, data));
    co_return held;
}

Task<Result<Held>> find_held(Tx& tx, IdempotencyKey key) {
    const auto first = TRY(co_await find_answer(tx, key));
    if (!first) co_return fail(Code::NOT_FOUND);
    co_return TRY(co_await kept_reservation(tx, *first));
}

Task<Result<Held>> cancel_reservation(Tx& tx, ReservationId id, AccountId who, MessageId message) {
    constexpr auto cancel = move(ReservationState::pending, ReservationEvent::cancel);
    constexpr auto release = move(SeatState::held, SeatEvent::release);
    Held out;
    out.reservation = TRY(co_await lock_full(tx, id)).reservation;
    Reservation& r = out.reservation;
    if (r.account != who) co_return fail(Code::NOT_FOUND);
    out.repeated = r.state == cancel.to;
    if (out.repeated) co_return out;
    if (r.state == ReservationState::paying) co_return fail(Code::PAYMENT_IN_PROGRESS);
    if (r.state != cancel.from) co_return fail(Code::RESERVATION_NOT_PENDING);
    TRY(co_await change_state(tx, id, cancel));
    out.changes = TRY(co_await move_seats(tx, r, release, {}));
    TRY(co_await give_back_count(tx, r));
    const std::string data = to_json(PaymentWithdrawn{OrderId{id.bytes}});
    TRY(co_await announce(tx, message, id, PaymentWithdrawn::type, data));
    r.state = cancel.to;
    co_return out;
}

Task<Result<bool>> holds_are_due(Tx& tx) {
    co_return !TRY(co_await tx.run(find_due, {tx.now})).empty();
}

Task<Result<std::vector<SeatChange>>> expire_holds(Tx& tx, Rules rules,
                                                   std::vector<MessageId> messages) {
    constexpr auto expire = move(ReservationState::pending, ReservationEvent::expire);
    constexpr auto release = move(SeatState::held, SeatEvent::release);
    std::vector<SeatChange> all;
    const Rows rows = TRY(co_await tx.run(lock_due, {tx.now, messages.size()}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Reservation r = reservation_of(rows, i);
        TRY(co_await change_state(tx, r.id, expire));
        const auto freed = TRY(co_await move_seats(tx, r, release, {}));
        all.insert(all.end(), freed.begin(), freed.end());
        TRY(co_await tx.run(count_lapse, {r.event, r.account, r.seats.size(), rules.lapses_max,
                                          tx.now + rules.pause}));
        const std::string data = to_json(PaymentWithdrawn{OrderId{r.id.bytes}});
        TRY(co_await announce(tx, messages[i], r.id, PaymentWithdrawn::type, data));
    }
    co_return all;
}

namespace {

// Why a payment could not begin.
Task<Result<Begun>> refuse_begin(Tx& tx, ReservationId id, PaymentId attempt) {
    const Full full = TRY(co_await find_full(tx, id));
    const Reservation& r = full.reservation;
    if (r.state == ReservationState::paying) {
        if (full.attempt == attempt) co_return Begun{{r.fence, r.amount, r.account}, {}};
        co_return fail(Code::PAYMENT_IN_PROGRESS);
    }
    // Another attempt was under way when we asked, and has been declined since.
    if (r.state == ReservationState::pending && r.expires > tx.now)
        co_return fail(Code::PAYMENT_IN_PROGRESS);
    if (r.state == ReservationState::pending || r.state == ReservationState::expired)
        co_return fail(Code::HOLD_EXPIRED);
    co_return fail(Code::RESERVATION_NOT_PENDING);
}

} // namespace

Task<Result<Begun>> begin_payment(Tx& tx, ReservationId id, PaymentId attempt, Query* also) {
    constexpr auto begin = move(ReservationState::pending, ReservationEvent::begin_payment);
    constexpr auto pay = move(SeatState::held, SeatEvent::begin_payment);
    const Rows rows =
        TRY(co_await tx.run(set_begun, {id, int(begin.from), int(begin.to), attempt, tx.now}));
    if (rows.empty()) co_return TRY(co_await refuse_begin(tx, id, attempt));
    const Reservation r = reservation_of(rows, 0);
    Begun begun{{r.fence, r.amount, r.account}, TRY(co_await move_seats(tx, r, pay, never, also))};
    if (begun.changes.size() != r.seats.size()) co_return fail(Code::HOLD_EXPIRED);
    co_return begun;
}

namespace {

// Money that no reservation takes is asked back, once: nothing in the reservation tells it, so the
// event itself is noted. All other outcomes are told by state and fence.
Task<Result<Outcome>> take_stray(Tx& tx, MessageId seen, const PaymentCaptured& captured,
                                 MessageId answer) {
    const ReservationId id{captured.order.bytes};
    auto found = co_await find_full(tx, id);
    if (!found && found.error().code() != Code::NOT_FOUND) co_return fail(std::move(found).error());
    if (found && found->payment == captured.payment) co_return Outcome{}; // told twice
    if (!TRY(co_await first_time(tx, "ticket", seen))) co_return Outcome{};
    const std::string data = to_json(RefundRequested{captured.order, captured.payment});
    TRY(co_await announce(tx, answer, id, RefundRequested::type, data));
    co_return Outcome{{}, false, true};
}

} // namespace

Task<Result<Outcome>> take_captured(Tx& tx, MessageId seen, PaymentCaptured captured,
                                    MessageId answer, std::vector<TicketId> tickets) {
    constexpr auto confirm = move(ReservationState::paying, ReservationEvent::captured);
    constexpr auto sell = move(SeatState::paying, SeatEvent::captured);
    const ReservationId id{captured.order.bytes};
    const Rows rows =
        TRY(co_await tx.run(set_confirmed, {id, int(confirm.from), int(confirm.to),
                                            captured.payment, captured.fence, captured.amount}));
    if (rows.empty()) co_return TRY(co_await take_stray(tx, seen, captured, answer));
    const Reservation r = reservation_of(rows, 0);
    const auto lost = [] { return fail(Code::INTERNAL, "a paying reservation has lost a seat"); };
    if (r.seats.empty() || tickets.size() < r.seats.size()) co_return lost();
    const std::string data =
        to_json(ReservationConfirmed{r.id, r.event, r.account, std::ssize(r.seats), r.amount});
    const OutboxEvent event = event_of(id, ReservationConfirmed::type, data);
    AppendedEvent told = append_later(tx, answer, event);
    told.numbered.with(told.put);
    std::vector<Query> made;
    for (std::size_t i = 0; i < r.seats.size(); ++i)
        made.push_back(
            tx.run(insert_ticket, {tickets[i], r.id, r.event, r.seats[i], r.account, tx.now}));
    Query& first = together(made);
    made.back().also = &told.numbered;
    Outcome outcome;
    outcome.changes = TRY(co_await move_seats(tx, r, sell, never, &first));
    if (outcome.changes.size() != r.seats.size()) co_return lost();
    outcome.confirmed = true;
    co_return outcome;
}

Task<Result<Outcome>> take_failed(Tx& tx, PaymentFailed failed, Rules rules) {
    constexpr auto decline = move(ReservationState::paying, ReservationEvent::declined);
    constexpr auto keep = move(SeatState::paying, SeatEvent::declined);
    constexpr auto end = move(ReservationState::paying, ReservationEvent::voided);
    constexpr auto free = move(SeatState::paying, SeatEvent::voided);
    Outcome outcome;
    const ReservationId id{failed.order.bytes};
    const Full full = TRY(co_await lock_full(tx, id));
    const Reservation& r = full.reservation;
    if (r.state != ReservationState::paying || r.fence != failed.fence) co_return outcome;
    if (failed.declined && full.declines < rules.declines_max) {
        const Instant until = hold_end_after_decline(rules, tx.now, r.expires);
        const Rows written =
            TRY(co_await tx.run(set_declined, {id, int(decline.from), int(decline.to), until}));
        if (written.changes() != 1) co_return lock_missed();
        outcome.changes = TRY(co_await move_seats(tx, r, keep, until));
        co_return outcome;
    }
    TRY(co_await change_state(tx, id, end));
    outcome.changes = TRY(co_await move_seats(tx, r, free, {}));
    TRY(co_await give_back_count(tx, r));
    co_return outcome;
}

Task<Result<std::vector<AccountId>>> holders_of_event(Tx& tx, EventId event, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(find_holders, {event, most}));
    std::vector<AccountId> all;
    all.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(rows.id<AccountId>(i, 0));
    co_return all;
}

Task<Result<Reservation>> find_reservation(Tx& tx, ReservationId id) {
    const Full full = TRY(co_await find_full(tx, id));
    co_return full.reservation;
}

Task<Result<std::vector<Reservation>>> reservations_of(Tx& tx, AccountId account, Page page) {
    const Rows rows =
        TRY(co_await tx.run(find_of_account, {account, page.before, page.limit_and_one()}));
    std::vector<Reservation> all;
    all.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(reservation_of(rows, i));
    co_return all;
}

} // namespace urr::ticket
