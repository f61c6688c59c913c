#include "services/ticket/store/reservations.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::ticket {

namespace {

constexpr Statement take_seat{
    "UPDATE seats SET state = 1, version = version + 1, hold_until_us = ?3, reservation = ?4 "
    "WHERE event = ?1 AND seat = ?2 AND (state = 0 OR (state = 1 AND hold_until_us <= ?5)) "
    "RETURNING version"};
// Moves a seat of a reservation from one state to another; nothing if it is not there any more.
constexpr Statement move_seat{
    "UPDATE seats SET state = ?5, version = version + 1, hold_until_us = ?6 "
    "WHERE event = ?1 AND seat = ?2 AND reservation = ?3 AND state = ?4 RETURNING version"};
constexpr Statement find_account{"SELECT seats, lapses, paused_until_us FROM accounts "
                                 "WHERE event = ?1 AND account = ?2"};
constexpr Statement put_account{
    "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) "
    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event, account) DO UPDATE SET "
    "seats = excluded.seats, lapses = excluded.lapses, paused_until_us = excluded.paused_until_us"};
constexpr Statement insert_reservation{
    "INSERT INTO reservations (id, event, account, state, seats, amount, created_us, expires_us, "
    "fence, declines) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, 0, 0)"};
constexpr Statement find_one{"SELECT id, event, account, state, seats, amount, created_us, "
                             "expires_us, fence, attempt, declines, payment FROM reservations "
                             "WHERE id = ?1"};
constexpr Statement find_of_account{
    "SELECT id, event, account, state, seats, amount, created_us, expires_us, fence "
    "FROM reservations WHERE account = ?1 ORDER BY id DESC LIMIT ?2"};
constexpr Statement find_due{
    "SELECT id, event, account, state, seats, amount, created_us, expires_us, fence "
    "FROM reservations WHERE state = 0 AND expires_us <= ?1 ORDER BY expires_us LIMIT ?2"};
constexpr Statement set_state{"UPDATE reservations SET state = ?2 WHERE id = ?1"};
constexpr Statement set_begun{
    "UPDATE reservations SET state = 1, fence = fence + 1, attempt = ?2 WHERE id = ?1"};
constexpr Statement set_declined{"UPDATE reservations SET state = 0, expires_us = ?2, "
                                 "declines = declines + 1 WHERE id = ?1"};
constexpr Statement set_confirmed{"UPDATE reservations SET state = 2, payment = ?2 WHERE id = ?1"};
constexpr Statement insert_ticket{
    "INSERT INTO tickets (id, reservation, event, seat, account, serial, state, created_us) "
    "VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, ?6)"};

struct Account {
    std::int64_t seats = 0, lapses = 0;
    Instant paused_until;
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

Task<Result<Account>> account_of(Tx& tx, EventId event, AccountId account) {
    const Rows rows = TRY(co_await tx.run(find_account, {event, account}));
    if (rows.empty()) co_return Account{};
    co_return Account{rows.integer(0, 0), rows.integer(0, 1), rows.instant(0, 2)};
}

Task<Result<void>> put(Tx& tx, EventId event, AccountId id, Account account) {
    TRY(co_await tx.run(put_account,
                        {event, id, account.seats, account.lapses, account.paused_until}));
    co_return Result<void>{};
}

// Moves all seats of a reservation by one event of the state machine. A seat that another hold took
// over, after this one's time was over, stays as it is.
Task<Result<std::vector<SeatChange>>> move_seats(Tx& tx, Reservation r, SeatState from,
                                                 SeatEvent event, Instant hold_until) {
    std::vector<SeatChange> changes;
    const auto to = after(from, event);
    if (!to) co_return fail(Code::INTERNAL, "no such seat transition");
    for (const std::int64_t seat : r.seats) {
        const Rows rows =
            TRY(co_await tx.run(move_seat, {r.event, seat, r.id, int(from), int(*to), hold_until}));
        if (!rows.empty()) changes.push_back({r.event, seat, *to, rows.integer(0, 0)});
    }
    co_return changes;
}

Task<Result<void>> give_back_count(Tx& tx, const Reservation& r, Account account) {
    account.seats -= std::int64_t(r.seats.size());
    TRY(co_await put(tx, r.event, r.account, account));
    co_return Result<void>{};
}

// An event's data lives until it is written: the caller keeps the text.
Task<Result<void>> announce(Tx& tx, MessageId id, ReservationId order, std::string_view type,
                            const std::string& data) {
    TRY(co_await append_event(tx, id, {topic_payment, order.bytes, type, 1, data, ""}));
    co_return Result<void>{};
}

Result<> may_hold(const HoldOrder& order, const Account& account, Instant now) {
    if (now < order.sale_start || now >= order.sale_end) return fail(Code::EVENT_NOT_ON_SALE);
    if (account.paused_until > now)
        return fail(Error(Code::BOOKING_PAUSED)
                        .retry_after(int((account.paused_until - now).us / 1'000'000) + 1));
    if (account.seats + std::int64_t(order.seats.size()) > order.seats_per_person)
        return fail(Code::SEAT_LIMIT,
                    "at most " + std::to_string(order.seats_per_person) + " seats a person");
    return {};
}

struct Full {
    Reservation reservation;
    PaymentId attempt, payment;
    std::int64_t declines = 0;
};

Task<Result<Full>> find_full(Tx& tx, ReservationId id) {
    const Rows rows = TRY(co_await tx.run(find_one, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return Full{reservation_of(rows, 0), rows.id<PaymentId>(0, 9), rows.id<PaymentId>(0, 11),
                   rows.integer(0, 10)};
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

Task<Result<Held>> hold_seats(Tx& tx, HoldOrder order) {
    if (auto first = TRY(co_await find_answer(tx, order.key))) {
        const auto id = ReservationId::parse(first->body); // the answer kept is the id
        if (!id) co_return fail(Code::INTERNAL, "a kept answer is not an id");
        co_return Held{TRY(co_await find_reservation(tx, *id)), {}, true};
    }
    Held held;
    held.reservation = {order.id,
                        order.event,
                        order.account,
                        ReservationState::pending,
                        order.seats,
                        order.amount,
                        tx.now,
                        tx.now + order.rules.hold,
                        0};
    const Reservation& r = held.reservation;
    // Lock order: seats, then the account's count, then the key.
    std::string taken;
    for (const std::int64_t seat : order.seats) {
        const Rows rows =
            TRY(co_await tx.run(take_seat, {order.event, seat, r.expires, order.id, tx.now}));
        if (rows.empty())
            taken += (taken.empty() ? "" : ",") + std::to_string(seat);
        else
            held.changes.push_back({order.event, seat, SeatState::held, rows.integer(0, 0)});
    }
    if (!taken.empty()) co_return fail(Code::SEAT_TAKEN, "seats " + taken);
    Account account = TRY(co_await account_of(tx, order.event, order.account));
    if (auto allowed = may_hold(order, account, tx.now); !allowed)
        co_return fail(std::move(allowed).error());
    account.seats += std::int64_t(order.seats.size());
    TRY(co_await put(tx, order.event, order.account, account));
    TRY(co_await tx.run(insert_reservation,
                        {order.id, order.event, order.account, seats_text(order.seats),
                         order.amount, tx.now, r.expires}));
    const PaymentRequested wanted{OrderId{order.id.bytes}, order.account, order.amount, r.expires};
    const std::string data = to_json(wanted);
    TRY(co_await announce(tx, order.message, order.id, PaymentRequested::type, data));
    TRY(co_await keep_answer(tx, order.key, 201, order.id.text()));
    co_return held;
}

Task<Result<Held>> cancel_reservation(Tx& tx, ReservationId id, AccountId who, MessageId message) {
    Full full = TRY(co_await find_full(tx, id));
    Reservation& r = full.reservation;
    if (r.account != who) co_return fail(Code::NOT_FOUND);
    if (r.state == ReservationState::cancelled) co_return Held{r, {}, true};
    if (r.state == ReservationState::paying) co_return fail(Code::PAYMENT_IN_PROGRESS);
    const auto next = after(r.state, ReservationEvent::cancel);
    if (!next) co_return fail(Code::RESERVATION_NOT_PENDING);
    Held out;
    out.changes = TRY(co_await move_seats(tx, r, SeatState::held, SeatEvent::release, {}));
    TRY(co_await give_back_count(tx, r, TRY(co_await account_of(tx, r.event, r.account))));
    TRY(co_await tx.run(set_state, {id, int(*next)}));
    const std::string data = to_json(PaymentWithdrawn{OrderId{id.bytes}});
    TRY(co_await announce(tx, message, id, PaymentWithdrawn::type, data));
    r.state = *next;
    out.reservation = r;
    co_return out;
}

Task<Result<std::vector<SeatChange>>> expire_holds(Tx& tx, Rules rules,
                                                   std::vector<MessageId> messages) {
    std::vector<SeatChange> all;
    const Rows rows = TRY(co_await tx.run(find_due, {tx.now, std::int64_t(messages.size())}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Reservation r = reservation_of(rows, i);
        const auto freed = TRY(co_await move_seats(tx, r, SeatState::held, SeatEvent::release, {}));
        all.insert(all.end(), freed.begin(), freed.end());
        Account account = TRY(co_await account_of(tx, r.event, r.account));
        if (++account.lapses >= rules.lapses_max) {
            account.lapses = 0;
            account.paused_until = tx.now + rules.pause;
        }
        TRY(co_await give_back_count(tx, r, account));
        TRY(co_await tx.run(set_state, {r.id, int(ReservationState::expired)}));
        const std::string data = to_json(PaymentWithdrawn{OrderId{r.id.bytes}});
        TRY(co_await announce(tx, messages[i], r.id, PaymentWithdrawn::type, data));
    }
    co_return all;
}

Task<Result<Begun>> begin_payment(Tx& tx, ReservationId id, PaymentId attempt) {
    const Full full = TRY(co_await find_full(tx, id));
    const Reservation& r = full.reservation;
    Begun begun{{r.fence, r.amount, r.account}, {}};
    if (r.state == ReservationState::paying) {
        if (full.attempt == attempt) co_return begun;
        co_return fail(Code::PAYMENT_IN_PROGRESS);
    }
    if (r.state == ReservationState::expired) co_return fail(Code::HOLD_EXPIRED);
    if (!after(r.state, ReservationEvent::begin_payment))
        co_return fail(Code::RESERVATION_NOT_PENDING);
    if (r.expires <= tx.now) co_return fail(Code::HOLD_EXPIRED);
    begun.changes =
        TRY(co_await move_seats(tx, r, SeatState::held, SeatEvent::begin_payment, never));
    if (begun.changes.size() != r.seats.size()) co_return fail(Code::HOLD_EXPIRED);
    TRY(co_await tx.run(set_begun, {id, attempt}));
    ++begun.payment.fence;
    co_return begun;
}

Task<Result<Outcome>> take_captured(Tx& tx, MessageId seen, PaymentCaptured captured,
                                    MessageId answer, std::vector<TicketId> tickets) {
    Outcome outcome;
    if (!TRY(co_await first_time(tx, "ticket", seen))) co_return outcome;
    const ReservationId id{captured.order.bytes};
    auto found = co_await find_full(tx, id);
    if (!found && found.error().code() != Code::NOT_FOUND) co_return fail(std::move(found).error());
    const bool takes = found && found->reservation.state == ReservationState::paying &&
                       found->reservation.fence == captured.fence &&
                       found->reservation.amount == captured.amount;
    if (!takes) {
        if (found && found->payment == captured.payment) co_return outcome; // told twice
        outcome.refund_wanted = true;
        const std::string data = to_json(RefundRequested{captured.order, captured.payment});
        TRY(co_await announce(tx, answer, id, RefundRequested::type, data));
        co_return outcome;
    }
    const Reservation& r = found->reservation;
    outcome.changes =
        TRY(co_await move_seats(tx, r, SeatState::paying, SeatEvent::captured, never));
    if (outcome.changes.size() != r.seats.size())
        co_return fail(Code::INTERNAL, "a paying reservation has lost a seat");
    for (std::size_t i = 0; i < r.seats.size() && i < tickets.size(); ++i)
        TRY(co_await tx.run(insert_ticket,
                            {tickets[i], r.id, r.event, r.seats[i], r.account, tx.now}));
    TRY(co_await tx.run(set_confirmed, {id, captured.payment}));
    const std::string data = to_json(
        ReservationConfirmed{r.id, r.event, r.account, std::int64_t(r.seats.size()), r.amount});
    TRY(co_await announce(tx, answer, id, ReservationConfirmed::type, data));
    outcome.confirmed = true;
    co_return outcome;
}

Task<Result<Outcome>> take_failed(Tx& tx, MessageId seen, PaymentFailed failed, Rules rules) {
    Outcome outcome;
    if (!TRY(co_await first_time(tx, "ticket", seen))) co_return outcome;
    const ReservationId id{failed.order.bytes};
    const Full full = TRY(co_await find_full(tx, id));
    const Reservation& r = full.reservation;
    if (r.state != ReservationState::paying || r.fence != failed.fence) co_return outcome;
    if (failed.declined && full.declines < rules.declines_max) {
        const Instant until = hold_end_after_decline(rules, tx.now, r.expires);
        outcome.changes =
            TRY(co_await move_seats(tx, r, SeatState::paying, SeatEvent::declined, until));
        TRY(co_await tx.run(set_declined, {id, until}));
        co_return outcome;
    }
    outcome.changes = TRY(co_await move_seats(tx, r, SeatState::paying, SeatEvent::voided, {}));
    TRY(co_await give_back_count(tx, r, TRY(co_await account_of(tx, r.event, r.account))));
    TRY(co_await tx.run(set_state, {id, int(ReservationState::failed)}));
    co_return outcome;
}

Task<Result<Reservation>> find_reservation(Tx& tx, ReservationId id) {
    const Full full = TRY(co_await find_full(tx, id));
    co_return full.reservation;
}

Task<Result<std::vector<Reservation>>> reservations_of(Tx& tx, AccountId account,
                                                       std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(find_of_account, {account, most}));
    std::vector<Reservation> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(reservation_of(rows, i));
    co_return all;
}

} // namespace urr::ticket
