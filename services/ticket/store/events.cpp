#include "services/ticket/store/events.hpp"

#include <algorithm>

namespace urr::ticket {

namespace {

constexpr Statement insert_event{
    "INSERT INTO events (id, title, artist, venue, address, description, event_us, sale_start_us, "
    "sale_end_us, published, room, seats_per_person, hold_us, layout, grades, price_min, "
    "price_max, sellable, version, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
    "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 1, ?19)"};
constexpr Statement update_event{
    "UPDATE events SET title = ?2, artist = ?3, venue = ?4, address = ?5, description = ?6, "
    "event_us = ?7, sale_start_us = ?8, sale_end_us = ?9, room = ?10, seats_per_person = ?11, "
    "hold_us = ?12, layout = ?13, grades = ?14, price_min = ?15, price_max = ?16, sellable = ?17, "
    "version = version + 1 WHERE id = ?1 AND version = ?18 RETURNING version"};
// ?3 has a byte for each seat: what it is used for (seat_uses). Bytes, since a character of a text
// is found by counting.
constexpr Statement insert_seats{
    "WITH RECURSIVE numbers (seat) AS (SELECT 0 UNION ALL SELECT seat + 1 FROM numbers "
    "WHERE seat + 1 < ?2) INSERT INTO seats (event, seat, state, version, hold_until_us) "
    "SELECT ?1, seat, CASE WHEN substr(?3, seat + 1, 1) = ?4 THEN ?5 ELSE ?6 END, 1, 0 "
    "FROM numbers"};
constexpr Statement delete_seats{"DELETE FROM seats WHERE event = ?1"};
// Nobody holds a seat of the event while it is changed.
constexpr Statement lock_seats{
    "SELECT count(*) FROM seats WHERE event = ?1",
    "SELECT count(*) FROM (SELECT 1 FROM seats WHERE event = ?1 ORDER BY seat FOR UPDATE) s"};
constexpr Statement touched{"SELECT 1 FROM seats WHERE event = ?1 AND version > 1 LIMIT 1"};
constexpr Statement publish{
    "UPDATE events SET published = 1, version = version + 1 WHERE id = ?1 AND published = 0 "
    "RETURNING version"};
constexpr Statement lock_poster{"SELECT poster, version FROM events WHERE id = ?1",
                                "SELECT poster, version FROM events WHERE id = ?1 FOR UPDATE"};
constexpr Statement select_poster{"SELECT poster FROM events WHERE id = ?1"};
constexpr Statement update_poster{"UPDATE events SET poster = ?2, version = version + 1 "
                                  "WHERE id = ?1 RETURNING version"};
constexpr Statement audit{"INSERT INTO audit_log (id, at_us, account, act, subject, detail) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr Statement select_audit{"SELECT id, at_us, account, act, subject, detail FROM audit_log "
                                 "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"};
#define EVENT_COLUMNS                                                                              \
    "SELECT id, title, artist, venue, address, description, event_us, sale_start_us, "             \
    "sale_end_us, published, room, seats_per_person, hold_us, layout, version, poster FROM "       \
    "events "
constexpr Statement select_events{EVENT_COLUMNS "ORDER BY id"};
constexpr Statement select_event{EVENT_COLUMNS "WHERE id = ?1"};
#undef EVENT_COLUMNS
constexpr Statement select_seats{"SELECT state, version FROM seats WHERE event = ?1 ORDER BY seat"};
constexpr Statement tickets_of_account{
    "SELECT id, reservation, event, seat, serial, state, created_us, account FROM tickets "
    "WHERE account = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"};
constexpr Statement one_ticket{
    "SELECT id, reservation, event, seat, serial, state, created_us, account FROM tickets "
    "WHERE id = ?1"};

TicketRow ticket_of(const Rows& rows, std::size_t i) {
    return {rows.id<TicketId>(i, 0), rows.id<ReservationId>(i, 1), rows.id<EventId>(i, 2),
            rows.integer(i, 3),      rows.integer(i, 4),           TicketState(rows.integer(i, 5)),
            rows.instant(i, 6),      rows.id<AccountId>(i, 7)};
}

Result<Event> event_of(const Rows& rows, std::size_t i) {
    Event e;
    e.id = rows.id<EventId>(i, 0);
    e.title = rows.text(i, 1);
    e.artist = rows.text(i, 2);
    e.venue = rows.text(i, 3);
    e.address = rows.text(i, 4);
    e.description = rows.text(i, 5);
    e.event_at = rows.instant(i, 6);
    e.sale_start = rows.instant(i, 7);
    e.sale_end = rows.instant(i, 8);
    e.published = rows.boolean(i, 9);
    e.room = rows.boolean(i, 10);
    e.seats_per_person = std::int32_t(rows.integer(i, 11));
    e.hold = {rows.integer(i, 12)};
    e.layout = TRY_PLAIN(read_json<Layout>(rows.text(i, 13)));
    e.version = rows.integer(i, 14);
    e.poster = rows.text(i, 15);
    return e;
}

// What the catalog shows of a layout.
struct Offer {
    std::string layout, grades = "[";
    Won low{INT64_MAX}, high;
    std::int64_t sellable = 0;

    explicit Offer(const Layout& of) : layout(to_json(of)) {
        for (const Grade& grade : grades_of(of)) {
            grades += (grades.size() > 1 ? "," : "") + to_json(grade);
            low = std::min(low, grade.price);
            high = std::max(high, grade.price);
            sellable += grade.seats;
        }
        grades += ']';
    }
};

Task<Result<void>> make_seats(Tx& tx, const Event& event) {
    const std::string uses = seat_uses(event.layout);
    const std::span<const unsigned char> use_of_each(
        reinterpret_cast<const unsigned char*>(uses.data()), uses.size());
    static constexpr unsigned char blocked[] = {'b'};
    constexpr auto block = move(SeatState::available, SeatEvent::block);
    TRY(co_await tx.run(insert_seats, {event.id, uses.size(), use_of_each,
                                       std::span<const unsigned char>(blocked), int(block.to),
                                       int(SeatState::available)}));
    co_return Result<void>{};
}

Task<Result<void>> note(Tx& tx, const Act& act, std::string_view what, EventId subject,
                        std::string_view detail) {
    TRY(co_await tx.run(audit, {act.id, tx.now, act.by, what, subject, detail}));
    co_return Result<void>{};
}

// What may still change once a seat was held.
bool only_texts_differ(const Event& a, const Event& b, const std::string& layout_of_b) {
    return a.event_at == b.event_at && a.sale_start == b.sale_start && a.room == b.room &&
           a.seats_per_person == b.seats_per_person && a.hold == b.hold &&
           to_json(a.layout) == layout_of_b;
}

} // namespace

Task<Result<bool>> create_event(Tx& tx, Event event, Act act) {
    const Offer offer(event.layout);
    TRY(co_await tx.run(
        insert_event, {event.id, event.title, event.artist, event.venue, event.address,
                       event.description, event.event_at, event.sale_start, event.sale_end,
                       event.published, event.room, event.seats_per_person, event.hold,
                       offer.layout, offer.grades, offer.low, offer.high, offer.sellable, tx.now}));
    TRY(co_await make_seats(tx, event));
    TRY(co_await note(tx, act, "event.create", event.id, event.title));
    co_return true;
}

Task<Result<std::int64_t>> publish_event(Tx& tx, EventId id, Act act) {
    const Rows rows = TRY(co_await tx.run(publish, {id}));
    if (rows.empty()) co_return TRY(co_await find_event(tx, id)).version;
    TRY(co_await note(tx, act, "event.publish", id, ""));
    co_return rows.integer(0, 0);
}

Task<Result<std::int64_t>> change_event(Tx& tx, Event event, Act act) {
    const Event before = TRY(co_await find_event(tx, event.id));
    if (before.version != event.version) co_return fail(Code::PRECONDITION_FAILED);
    const Offer offer(event.layout);
    TRY(co_await tx.run(lock_seats, {event.id}));
    if (!only_texts_differ(before, event, offer.layout) &&
        !TRY(co_await tx.run(touched, {event.id})).empty())
        co_return fail(Code::EVENT_FROZEN);
    const Rows rows = TRY(co_await tx.run(
        update_event, {event.id, event.title, event.artist, event.venue, event.address,
                       event.description, event.event_at, event.sale_start, event.sale_end,
                       event.room, event.seats_per_person, event.hold, offer.layout, offer.grades,
                       offer.low, offer.high, offer.sellable, event.version}));
    if (rows.empty()) co_return fail(Code::PRECONDITION_FAILED);
    if (to_json(before.layout) != offer.layout) {
        TRY(co_await tx.run(delete_seats, {event.id}));
        TRY(co_await make_seats(tx, event));
    }
    TRY(co_await note(tx, act, "event.change", event.id, event.title));
    co_return rows.integer(0, 0);
}

Task<Result<PosterChange>> change_poster(Tx& tx, EventId id, std::string file, Act act) {
    const Rows before = TRY(co_await tx.run(lock_poster, {id}));
    if (before.empty()) co_return fail(Code::NOT_FOUND);
    std::string replaced(before.text(0, 0));
    if (replaced == file) co_return PosterChange{before.integer(0, 1), ""};
    const Rows rows = TRY(co_await tx.run(update_poster, {id, file}));
    TRY(co_await note(tx, act, file.empty() ? "poster.remove" : "poster.change", id,
                      file.empty() ? replaced : file));
    co_return PosterChange{rows.integer(0, 0), std::move(replaced)};
}

Task<Result<std::string>> find_poster(Tx& tx, EventId id) {
    const Rows rows = TRY(co_await tx.run(select_poster, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return std::string(rows.text(0, 0));
}

Task<Result<std::vector<Event>>> all_events(Tx& tx) {
    const Rows rows = TRY(co_await tx.run(select_events));
    std::vector<Event> events;
    for (std::size_t i = 0; i < rows.size(); ++i) events.push_back(TRY(event_of(rows, i)));
    co_return events;
}

Task<Result<Event>> find_event(Tx& tx, EventId id) {
    const Rows rows = TRY(co_await tx.run(select_event, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return event_of(rows, 0);
}

Task<Result<std::vector<AuditLine>>> audit_lines(Tx& tx, Page page) {
    const Rows rows = TRY(co_await tx.run(select_audit, {page.before, page.limit_and_one()}));
    std::vector<AuditLine> lines;
    for (std::size_t i = 0; i < rows.size(); ++i)
        lines.push_back({rows.id<MessageId>(i, 0), rows.instant(i, 1), rows.id<AccountId>(i, 2),
                         std::string(rows.text(i, 3)), rows.id<EventId>(i, 4),
                         std::string(rows.text(i, 5))});
    co_return lines;
}

Task<Result<std::vector<SeatRow>>> seats_of_event(Tx& tx, EventId id) {
    const Rows rows = TRY(co_await tx.run(select_seats, {id}));
    std::vector<SeatRow> seats(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        seats[i] = {SeatState(rows.integer(i, 0)), rows.integer(i, 1)};
    co_return seats;
}

Task<Result<std::vector<TicketRow>>> tickets_of(Tx& tx, AccountId account, Page page) {
    const Rows rows =
        TRY(co_await tx.run(tickets_of_account, {account, page.before, page.limit_and_one()}));
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
