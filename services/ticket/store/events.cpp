#include "services/ticket/store/events.hpp"

namespace urr::ticket {

namespace {

constexpr Statement insert_event{
    "INSERT INTO events (id, title, artist, venue, event_us, sale_start_us, sale_end_us, "
    "published, "
    "room, seats_per_person, layout, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
    "?11, ?12)"};
constexpr Statement insert_seat{"INSERT INTO seats (event, seat, state, version, hold_until_us) "
                                "VALUES (?1, ?2, ?3, 1, 0)"};
constexpr Statement publish{"UPDATE events SET published = 1 WHERE id = ?1"};
constexpr Statement audit{"INSERT INTO audit_log (at_us, account, act, subject, detail) "
                          "VALUES (?1, ?2, ?3, ?4, ?5)"};
constexpr Statement select_events{
    "SELECT id, title, artist, venue, event_us, sale_start_us, sale_end_us, published, room, "
    "seats_per_person, layout FROM events ORDER BY id"};
constexpr Statement select_seats{"SELECT state, version FROM seats WHERE event = ?1 ORDER BY seat"};
constexpr Statement tickets_of_account{
    "SELECT id, reservation, event, seat, serial, state, created_us, account FROM tickets "
    "WHERE account = ?1 ORDER BY id DESC LIMIT ?2"};
constexpr Statement one_ticket{
    "SELECT id, reservation, event, seat, serial, state, created_us, account FROM tickets "
    "WHERE id = ?1"};

TicketRow ticket_of(const Rows& rows, std::size_t i) {
    return {rows.id<TicketId>(i, 0), rows.id<ReservationId>(i, 1), rows.id<EventId>(i, 2),
            rows.integer(i, 3),      rows.integer(i, 4),           TicketState(rows.integer(i, 5)),
            rows.instant(i, 6),      rows.id<AccountId>(i, 7)};
}

} // namespace

Task<Result<bool>> create_event(Tx& tx, Event event, AccountId by) {
    const std::string layout = to_json(event.layout);
    TRY(co_await tx.run(insert_event,
                        {event.id, event.title, event.artist, event.venue, event.event_at,
                         event.sale_start, event.sale_end, event.published, event.room,
                         event.seats_per_person, layout, tx.now}));
    const std::int64_t count = seat_count(event.layout);
    for (std::int64_t seat = 0; seat < count; ++seat) {
        const SeatState state =
            is_blocked(event.layout, seat) ? SeatState::blocked : SeatState::available;
        TRY(co_await tx.run(insert_seat, {event.id, seat, int(state)}));
    }
    TRY(co_await tx.run(audit, {tx.now, by, "event.create", event.id, event.title}));
    co_return true;
}

Task<Result<bool>> publish_event(Tx& tx, EventId id, AccountId by) {
    const Rows rows = TRY(co_await tx.run(publish, {id}));
    if (rows.changes() == 0) co_return fail(Code::NOT_FOUND);
    TRY(co_await tx.run(audit, {tx.now, by, "event.publish", id, ""}));
    co_return true;
}

Task<Result<std::vector<Event>>> all_events(Tx& tx) {
    const Rows rows = TRY(co_await tx.run(select_events));
    std::vector<Event> events;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Event& e = events.emplace_back();
        e.id = rows.id<EventId>(i, 0);
        e.title = rows.text(i, 1);
        e.artist = rows.text(i, 2);
        e.venue = rows.text(i, 3);
        e.event_at = rows.instant(i, 4);
        e.sale_start = rows.instant(i, 5);
        e.sale_end = rows.instant(i, 6);
        e.published = rows.boolean(i, 7);
        e.room = rows.boolean(i, 8);
        e.seats_per_person = std::int32_t(rows.integer(i, 9));
        e.layout = TRY(read_json<Layout>(rows.text(i, 10)));
    }
    co_return events;
}

Task<Result<std::vector<SeatRow>>> seats_of_event(Tx& tx, EventId id) {
    const Rows rows = TRY(co_await tx.run(select_seats, {id}));
    std::vector<SeatRow> seats(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        seats[i] = {SeatState(rows.integer(i, 0)), rows.integer(i, 1)};
    co_return seats;
}

Task<Result<std::vector<TicketRow>>> tickets_of(Tx& tx, AccountId account, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(tickets_of_account, {account, most}));
    std::vector<TicketRow> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(ticket_of(rows, i));
    co_return all;
}

Task<Result<TicketRow>> find_ticket(Tx& tx, TicketId id) {
    const Rows rows = TRY(co_await tx.run(one_ticket, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return ticket_of(rows, 0);
}

} // namespace urr::ticket
