// The works on events, their seats' rows, tickets and the log of what organizers did.
#pragma once
#include "libs/contract/page.hpp"
#include "libs/sql/database.hpp"
#include "services/ticket/domain/layout.hpp"
#include "services/ticket/domain/rules.hpp"
#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {

// An event as organizers make it.
struct Event {
    EventId id;
    std::string title, artist, venue, address, description;
    Instant event_at, sale_start, sale_end;
    bool published = false;
    bool room = true; // a waiting room stands before it
    std::int32_t seats_per_person = 4;
    Duration hold; // zero: the setting's
    Layout layout;
    std::int64_t version = 1;
    std::string poster; // its file's name; empty: none
};

struct SeatRow {
    SeatState state = SeatState::available;
    std::int64_t version = 0;
};

// Who did something, and the id of its line in the log.
struct Act {
    AccountId by;
    MessageId id;
};

// Writes the event and a row per seat. CONFLICT when the id exists.
Task<Result<bool>> create_event(Tx& tx, Event event, Act act);
// NOT_FOUND; publishing twice is one. The event's new version.
Task<Result<std::int64_t>> publish_event(Tx& tx, EventId id, Act act);
// `event.version` is the one that was changed: PRECONDITION_FAILED when another came between. From
// the first hold on the event is frozen: EVENT_FROZEN unless only texts and the end of the sale
// differ. The event's new version; with a new layout its seats are made anew.
Task<Result<std::int64_t>> change_event(Tx& tx, Event event, Act act);
// `file` is the event's poster from now on, empty: it has none; also of a frozen one, as its texts
// are. What was so already is not written again. NOT_FOUND.
struct PosterChange {
    std::int64_t version = 0; // the event's
    std::string replaced;     // the file that was its poster; empty: none, or the same
};
Task<Result<PosterChange>> change_poster(Tx& tx, EventId id, std::string file, Act act);
// NOT_FOUND.
Task<Result<std::string>> find_poster(Tx& tx, EventId id);
Task<Result<std::vector<Event>>> all_events(Tx& tx);
Task<Result<Event>> find_event(Tx& tx, EventId id);
// In the order of their numbers.
Task<Result<std::vector<SeatRow>>> seats_of_event(Tx& tx, EventId id);

struct AuditLine {
    MessageId id;
    Instant at;
    AccountId account;
    std::string act;
    EventId subject;
    std::string detail;
};
Task<Result<std::vector<AuditLine>>> audit_lines(Tx& tx, Page page);

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
Task<Result<std::vector<TicketRow>>> tickets_of(Tx& tx, AccountId account, Page page);
Task<Result<TicketRow>> find_ticket(Tx& tx, TicketId id);

} // namespace urr::ticket
