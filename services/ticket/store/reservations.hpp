// The works on seats and reservations: each is one transaction, all or nothing. Every seat that a
// work changed comes back with its new version, for the maps in memory.
#pragma once
#include <string>
#include <vector>

#include "libs/contract/events.hpp"
#include "libs/contract/page.hpp"
#include "libs/sql/database.hpp"
#include "libs/sql/idempotency.hpp"
#include "services/ticket/domain/rules.hpp"
#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {

struct SeatChange {
    EventId event;
    std::int64_t seat = 0;
    SeatState state = SeatState::available;
    std::int64_t version = 0;
};

struct Reservation {
    ReservationId id;
    EventId event;
    AccountId account;
    ReservationState state = ReservationState::pending;
    std::vector<std::int64_t> seats;
    Won amount;
    Instant created, expires;
    std::int64_t fence = 0;
};

struct HoldOrder {
    ReservationId id; // drawn by the caller, as are the message ids
    MessageId message;
    EventId event;
    std::int64_t event_version = 0; // of what the order was made by; 0: not compared
    AccountId account;
    std::vector<std::int64_t> seats; // sorted, no seat twice
    Won amount;
    int seats_per_person = 4;
    Instant sale_start, sale_end;
    Rules rules;
    IdempotencyKey key;
};

struct Held {
    Reservation reservation;
    std::vector<SeatChange> changes;
    bool repeated = false; // the answer of an earlier request with the same key
};

// PRECONDITION_FAILED: an organizer has changed the event since the order was made (its price, its
// seats). SEAT_TAKEN names the seats; SEAT_LIMIT, BOOKING_PAUSED, EVENT_NOT_ON_SALE. Rows are taken
// in this order, in every work: key, seats by number, account.
Task<Result<Held>> hold_seats(Tx& tx, HoldOrder order);
// What an earlier request with this key got; NOT_FOUND.
Task<Result<Held>> find_held(Tx& tx, IdempotencyKey key);

// RESERVATION_NOT_PENDING, PAYMENT_IN_PROGRESS, NOT_FOUND (also when it is another's).
Task<Result<Held>> cancel_reservation(Tx& tx, ReservationId id, AccountId account,
                                      MessageId message);

// Frees up to `most` holds whose time is over. `messages`: one id for each that may be needed.
Task<Result<std::vector<SeatChange>>> expire_holds(Tx& tx, Rules rules,
                                                   std::vector<MessageId> messages);

// Is there anything for expire_holds to do? For `read`.
Task<Result<bool>> holds_are_due(Tx& tx);

struct Begun {
    BegunPayment payment;
    std::vector<SeatChange> changes;
};
// HOLD_EXPIRED, PAYMENT_IN_PROGRESS (another attempt), RESERVATION_NOT_PENDING. Asking again for
// the same attempt gives the same fence. `also` is written with the seats, where it begins now.
Task<Result<Begun>> begin_payment(Tx& tx, ReservationId id, PaymentId attempt,
                                  Query* also = nullptr);

struct Outcome {
    std::vector<SeatChange> changes;
    bool confirmed = false, refund_wanted = false;
};
// payment's events. An outcome that does not carry the present fence changes nothing, but captured
// money that no reservation takes is asked back.
Task<Result<Outcome>> take_captured(Tx& tx, MessageId seen, PaymentCaptured captured,
                                    MessageId answer, std::vector<TicketId> tickets);
Task<Result<Outcome>> take_failed(Tx& tx, PaymentFailed failed, Rules rules);

// Whoever has held a seat of the event, now or before; `most` of them.
Task<Result<std::vector<AccountId>>> holders_of_event(Tx& tx, EventId event, std::int64_t most);

Task<Result<Reservation>> find_reservation(Tx& tx, ReservationId id);
// One row more than the page has, where there is one.
Task<Result<std::vector<Reservation>>> reservations_of(Tx& tx, AccountId account, Page page);

std::string seats_text(const std::vector<std::int64_t>& seats);
std::vector<std::int64_t> seats_of_text(std::string_view text);

} // namespace urr::ticket
