#include "services/catalog/events.hpp"

#include <algorithm>

#include "libs/contract/event_facts.hpp"
#include "libs/contract/page.hpp"
#include "libs/contract/poster.hpp"
#include "libs/core/json_text.hpp"

namespace urr::catalog {

namespace {

constexpr Statement select_events{
    "SELECT id, title, artist, venue, address, description, event_us, sale_start_us, sale_end_us, "
    "room, seats_per_person, grades, price_min, price_max, sellable, poster FROM "
    "catalog_events_v2 ORDER BY id DESC LIMIT ?1"};
constexpr Statement count_seats{
    "SELECT state, count(*) FROM catalog_seats_v1 WHERE event = ?1 GROUP BY state"};

// The seat states of catalog_seats_v1.
constexpr std::int64_t available = 0, sold = 3, blocked = 6;

// Letters without their case, as far as ASCII goes; Korean has none.
std::string folded(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return out;
}

bool holds(std::string_view text, std::string_view wanted) {
    return folded(text).find(wanted) != std::string::npos;
}

std::unexpected<Error> wrong(std::string_view parameter, std::string_view why) {
    return fail(Code::BAD_REQUEST, std::string(parameter) + " " + std::string(why));
}

Result<std::optional<Instant>> time_of(std::string_view query, std::string_view name) {
    const auto text = TRY_PLAIN(query_value(query, name));
    if (!text) return std::nullopt;
    const auto time = parse_rfc3339(text->size() == 10 ? *text + "T00:00:00Z" : *text);
    if (!time) return wrong(name, "must be a time (RFC 3339) or a day");
    return time;
}

Result<Sort> sort_of(std::string_view query) {
    const std::string name = TRY_PLAIN(query_value(query, "sort")).value_or("newest");
    if (name == "newest") return Sort::newest;
    if (name == "eventAt") return Sort::event_at;
    if (name == "-eventAt") return Sort::event_at_down;
    if (name == "saleStartAt") return Sort::sale_start;
    return wrong("sort", "must be newest, eventAt, -eventAt or saleStartAt");
}

Result<std::optional<EventStatus>> wanted_status(std::string_view query) {
    const auto name = TRY_PLAIN(query_value(query, "status"));
    if (!name) return std::nullopt;
    for (const auto status : {EventStatus::upcoming, EventStatus::on_sale, EventStatus::last_seats,
                              EventStatus::sold_out, EventStatus::ended})
        if (status_name(status) == *name) return status;
    return wrong("status", "must be upcoming, onSale, lastSeats, soldOut or ended");
}

// What a list is sorted by, upwards; equal keys by id, downwards.
std::int64_t key_of(const EventView& event, Sort sort) {
    switch (sort) {
    case Sort::newest:
        return 0;
    case Sort::event_at:
        return event.event_at.us;
    case Sort::event_at_down:
        return -event.event_at.us;
    case Sort::sale_start:
        return event.sale_start.us;
    }
    return 0;
}

bool comes_before(std::int64_t key, EventId id, std::int64_t other_key, EventId other) {
    return key != other_key ? key < other_key : id > other;
}

// "key_id": both as text.
Result<std::optional<std::pair<std::int64_t, EventId>>> after_of(std::string_view query) {
    const auto text = TRY_PLAIN(query_value(query, "cursor"));
    if (!text) return std::nullopt;
    std::int64_t key = 0;
    const char* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, key);
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '_')
        if (const auto id = EventId::parse(std::string_view(read.ptr + 1, end)))
            return std::pair(key, *id);
    return wrong("cursor", "is not one that a list gave");
}

bool fits(const EventView& event, const Question& q, Instant now) {
    if (q.status && status_of(event, now) != *q.status) return false;
    if (q.from && event.event_at < *q.from) return false;
    if (q.to && event.event_at >= *q.to) return false;
    if (!q.artist.empty() && folded(event.artist) != q.artist) return false;
    return q.text.empty() || holds(event.title, q.text) || holds(event.artist, q.text) ||
           holds(event.venue, q.text);
}

void append_text(std::string& out, const char* name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_text(out, value);
}

void append_number(std::string& out, const char* name, std::int64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void append_summary(std::string& out, const EventView& e, Instant now) {
    out += "{\"id\":\"" + e.id.text() + "\"";
    append_text(out, "title", e.title);
    append_text(out, "artist", e.artist);
    append_text(out, "venue", e.venue);
    append_text(out, "status", status_name(status_of(e, now)));
    append_text(out, "eventAt", to_rfc3339(e.event_at));
    append_text(out, "saleStartAt", to_rfc3339(e.sale_start));
    append_text(out, "saleEndAt", to_rfc3339(e.sale_end));
    append_number(out, "seats", e.seats);
    append_number(out, "seatsLeft", e.stock.free);
    append_number(out, "seatsPerPerson", e.seats_per_person);
    append_number(out, "priceMin", e.price_min.amount);
    append_number(out, "priceMax", e.price_max.amount);
    append_text(out, "currency", currency_krw);
    out.append(",\"waitingRoom\":").append(e.room ? "true" : "false");
    if (const auto poster = poster_path(e.id, e.poster))
        append_text(out, "poster", *poster);
    else
        out += ",\"poster\":null";
}

} // namespace

EventStatus status_of(const EventView& e, Instant now) {
    return status_at(true, now, e.sale_start, e.sale_end, e.stock);
}

Task<Result<std::vector<EventView>>> read_events(Tx& tx) {
    const Rows rows = TRY(co_await tx.run(select_events, {events_max}));
    std::vector<EventView> events(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EventView& e = events[i];
        e.id = rows.id<EventId>(i, 0);
        e.title = rows.text(i, 1);
        e.artist = rows.text(i, 2);
        e.venue = rows.text(i, 3);
        e.address = rows.text(i, 4);
        e.description = rows.text(i, 5);
        e.event_at = rows.instant(i, 6);
        e.sale_start = rows.instant(i, 7);
        e.sale_end = rows.instant(i, 8);
        e.room = rows.boolean(i, 9);
        e.seats_per_person = rows.integer(i, 10);
        e.grades = rows.text(i, 11);
        e.price_min = rows.won(i, 12);
        e.price_max = rows.won(i, 13);
        e.seats = rows.integer(i, 14);
        e.poster = rows.text(i, 15);
    }
    co_return events;
}

Task<Result<Stock>> count_stock(Tx& tx, EventId event) {
    const Rows rows = TRY(co_await tx.run(count_seats, {event}));
    Stock stock;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t state = rows.integer(i, 0), count = rows.integer(i, 1);
        if (state == available)
            stock.free += count;
        else if (state != sold && state != blocked)
            stock.under_way += count;
    }
    co_return stock;
}

Result<Question> question_of(std::string_view query) {
    Question q;
    q.status = TRY_PLAIN(wanted_status(query));
    q.artist = folded(TRY_PLAIN(query_value(query, "artist")).value_or(""));
    q.text = folded(TRY_PLAIN(query_value(query, "q")).value_or(""));
    q.from = TRY_PLAIN(time_of(query, "from"));
    q.to = TRY_PLAIN(time_of(query, "to"));
    q.sort = TRY_PLAIN(sort_of(query));
    q.limit = TRY_PLAIN(page_limit(query));
    q.after = TRY_PLAIN(after_of(query));
    return q;
}

std::string list_json(const std::vector<EventView>& events, const Question& q, Instant now) {
    std::vector<const EventView*> found;
    for (const EventView& event : events) {
        const bool seen = q.after && !comes_before(q.after->first, q.after->second,
                                                   key_of(event, q.sort), event.id);
        if (!seen && fits(event, q, now)) found.push_back(&event);
    }
    std::sort(found.begin(), found.end(), [&](const EventView* a, const EventView* b) {
        return comes_before(key_of(*a, q.sort), a->id, key_of(*b, q.sort), b->id);
    });
    std::optional<std::string> next;
    if (found.size() > q.limit) {
        found.resize(q.limit);
        next = std::to_string(key_of(*found.back(), q.sort)) + "_" + found.back()->id.text();
    }
    std::string items;
    for (const EventView* event : found) {
        if (!items.empty()) items += ',';
        append_summary(items, *event, now);
        items += '}';
    }
    return page_json(items, next);
}

std::string detail_json(const EventView& event, Instant now) {
    std::string out;
    append_summary(out, event, now);
    append_text(out, "address", event.address);
    append_text(out, "description", event.description);
    out.append(",\"grades\":").append(event.grades);
    return out + "}";
}

std::string told_json(const std::vector<EventView>& events) {
    EventsTold list;
    for (const EventView& e : events)
        list.items.push_back({e.id, e.room, e.sale_start, e.sale_end, e.stock.free,
                              e.stock.under_way, e.seats - e.stock.free - e.stock.under_way});
    return to_json(list);
}

} // namespace urr::catalog
