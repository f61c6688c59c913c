// The works on events and their seats' rows.
#pragma once
#include "libs/sql/database.hpp"
#include "services/ticket/domain/layout.hpp"
#include "services/ticket/domain/rules.hpp"

namespace urr::ticket {

// An event as organizers make it. Immutable once published, but for `published` itself.
struct Event {
    EventId id;
    std::string title, artist, venue;
    Instant event_at, sale_start, sale_end;
    bool published = false;
    bool room = true; // a waiting room stands before it
    std::int32_t seats_per_person = 4;
    Layout layout;
};

struct SeatRow {
    SeatState state = SeatState::available;
    std::int64_t version = 0;
};

// Writes the event and a row per seat. CONFLICT when the id exists.
Task<Result<bool>> create_event(Tx& tx, Event event, AccountId by);
// NOT_FOUND; publishing twice is one.
Task<Result<bool>> publish_event(Tx& tx, EventId id, AccountId by);
Task<Result<std::vector<Event>>> all_events(Tx& tx);
// In the order of their numbers.
Task<Result<std::vector<SeatRow>>> seats_of_event(Tx& tx, EventId id);

struct TicketRow {
    TicketId id;
    ReservationId reservation;
    EventId event;
    std::int64_t seat = 0;
    std::int64_t serial = 0;
    TicketState state = TicketState::valid;
    Instant created;
    AccountId account;
};
Task<Result<std::vector<TicketRow>>> tickets_of(Tx& tx, AccountId account, std::int64_t most);
Task<Result<TicketRow>> find_ticket(Tx& tx, TicketId id);

} // namespace urr::ticket
