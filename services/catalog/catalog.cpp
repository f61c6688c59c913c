#include "services/catalog/catalog.hpp"

#include <charconv>

#include "libs/http/path.hpp"
#include "libs/security/mac.hpp"

namespace urr::catalog {

namespace {

constexpr Statement all_events{
    "SELECT e.id, e.title, e.artist, e.venue, e.event_us, e.sale_start_us, e.sale_end_us, e.room, "
    "e.seats_per_person, s.seats, s.free, s.under_way FROM catalog_events_v1 e "
    "JOIN catalog_stock_v1 s ON s.event = e.id ORDER BY e.id DESC LIMIT 1000"};

constexpr auto read_events = [](Tx& tx) -> Task<Result<std::vector<EventView>>> {
    const Rows rows = TRY(co_await tx.run(all_events));
    std::vector<EventView> events(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EventView& e = events[i];
        e.id = rows.id<EventId>(i, 0);
        e.title = rows.text(i, 1);
        e.artist = rows.text(i, 2);
        e.venue = rows.text(i, 3);
        e.event_at = rows.instant(i, 4);
        e.sale_start = rows.instant(i, 5);
        e.sale_end = rows.instant(i, 6);
        e.room = rows.boolean(i, 7);
        e.seats_per_person = rows.integer(i, 8);
        e.seats = rows.integer(i, 9);
        e.free = rows.integer(i, 10);
        e.under_way = rows.integer(i, 11);
    }
    co_return events;
};

std::string_view status_of(const EventView& e, Instant now) {
    if (now < e.sale_start) return "upcoming";
    if (now >= e.sale_end) return "ended";
    if (e.free > 0) return "onSale";
    return e.under_way > 0 ? "lastSeats" : "soldOut";
}

bool is_status(std::string_view text) {
    for (const char* known : {"upcoming", "onSale", "lastSeats", "soldOut", "ended"})
        if (text == known) return true;
    return false;
}

void append(std::string& out, const EventView& e) {
    out += "{\"id\":\"" + e.id.text() + "\",\"title\":";
    append_json_text(out, e.title);
    out += ",\"artist\":";
    append_json_text(out, e.artist);
    out += ",\"venue\":";
    append_json_text(out, e.venue);
    out += ",\"status\":\"" + e.status + "\",\"eventAt\":\"" + to_rfc3339(e.event_at) +
           "\",\"saleStartAt\":\"" + to_rfc3339(e.sale_start) + "\",\"saleEndAt\":\"" +
           to_rfc3339(e.sale_end) + "\",\"seats\":" + std::to_string(e.seats) +
           ",\"seatsLeft\":" + std::to_string(e.free) +
           ",\"seatsPerPerson\":" + std::to_string(e.seats_per_person) +
           ",\"waitingRoom\":" + (e.room ? "true" : "false") + "}";
}

// A 304 where the client has this very answer.
Response tagged(const Request& request, std::string body) {
    const Digest digest = sha256(body);
    const std::string tag = "\"" + hex(std::span(digest).first(8)) + "\"";
    Response response = json_response(200, std::move(body));
    if (request.header("If-None-Match") == tag) {
        response = Response();
        response.status = 304;
    }
    response.add("ETag", tag).add("Cache-Control", "public, max-age=1");
    return response;
}

Result<std::size_t> limit_of(const Request& request) {
    const auto text = TRY_PLAIN(query_value(request.query, "limit"));
    std::size_t limit = 20;
    if (text) {
        const auto read = std::from_chars(text->data(), text->data() + text->size(), limit);
        if (read.ec != std::errc() || read.ptr != text->data() + text->size() || limit < 1 ||
            limit > 100)
            return fail(Code::BAD_REQUEST, "limit must be from 1 to 100");
    }
    return limit;
}

} // namespace

void Catalog::add_to(Router& router) {
    router.add<&Catalog::list>(Method::get, "/api/v1/events", *this);
    router.add<&Catalog::one>(Method::get, "/api/v1/events/{eventId}", *this);
}

Task<Result<void>> Catalog::refresh(Context context) {
    const Instant now = clock_.now();
    if (now - read_at_ < kept) co_return Result<void>{};
    auto events = co_await tickets_.read(context, read_events);
    if (!events) { // an old answer is better than none, for a while
        if (now - read_at_ < kept_without_store) co_return Result<void>{};
        co_return fail(std::move(events).error());
    }
    for (EventView& event : *events) event.status = status_of(event, now);
    events_ = std::move(*events);
    read_at_ = now;
    co_return Result<void>{};
}

Task<Result<Response>> Catalog::list(Context context, Request request) {
    const std::size_t limit = TRY(limit_of(request));
    const auto status = TRY(query_value(request.query, "status"));
    if (status && !is_status(*status)) co_return fail(Code::BAD_REQUEST, "no such status");
    const auto text = TRY(query_value(request.query, "q"));
    TRY(co_await refresh(context));
    std::string body = "{\"items\":[";
    std::size_t count = 0;
    for (const EventView& event : events_) {
        if (status && event.status != *status) continue;
        if (text && event.title.find(*text) == std::string::npos &&
            event.artist.find(*text) == std::string::npos)
            continue;
        if (count++ == limit) break;
        if (body.back() != '[') body += ',';
        append(body, event);
    }
    body += "],\"nextCursor\":null}";
    co_return tagged(request, std::move(body));
}

Task<Result<Response>> Catalog::one(Context context, Request request) {
    const auto id = EventId::parse(request.parameters[0]);
    if (!id) co_return fail(Code::NOT_FOUND);
    TRY(co_await refresh(context));
    for (const EventView& event : events_) {
        if (event.id != *id) continue;
        std::string body;
        append(body, event);
        co_return tagged(request, std::move(body));
    }
    co_return fail(Code::NOT_FOUND);
}

} // namespace urr::catalog
