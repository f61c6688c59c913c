#include "services/ticket/http/admin_routes.hpp"

#include <charconv>

#include "libs/contract/poster.hpp"
#include "libs/http/etag.hpp"
#include "services/ticket/http/admin_bodies.hpp"
#include "services/ticket/http/request.hpp"

namespace urr::ticket {

namespace {

EventBody body_of(const SeatMap& map, Instant now) {
    const Event& e = map.event();
    const Stock stock = map.stock();
    const EventStatus status = status_at(e.published, now, e.sale_start, e.sale_end, stock);
    return {.id = e.id,
            .title = e.title,
            .artist = e.artist,
            .venue = e.venue,
            .address = e.address,
            .description = e.description,
            .status = std::string(status_name(status)),
            .event_at = e.event_at,
            .sale_start = e.sale_start,
            .sale_end = e.sale_end,
            .seats = std::ssize(map.letters()),
            .free = stock.free,
            .under_way = stock.under_way,
            .hold_seconds = e.hold.us / 1'000'000,
            .version = e.version,
            .seats_per_person = e.seats_per_person,
            .published = e.published,
            .room = e.room,
            .frozen = map.frozen(),
            .grades = grades_of(e.layout),
            .poster = poster_path(e.id, e.poster)};
}

// An absent member is left out; that there is no poster is said.
std::string event_json(const SeatMap& map, Instant now) {
    std::string text = to_json(body_of(map, now));
    if (map.event().poster.empty()) text.insert(text.size() - 1, ",\"poster\":null");
    return text;
}

template <class Body>
Result<EventWish> wish_of(const Request& request) {
    TRY_PLAIN(need_json(request));
    Body body = TRY_PLAIN(read_json<Body>(request.body));
    EventExtras& extras = body.extras;
    EventWish wish{.title = std::move(body.title),
                   .artist = std::move(extras.artist),
                   .venue = std::move(body.venue),
                   .address = std::move(extras.address),
                   .description = std::move(extras.description),
                   .event_at = body.event_at,
                   .sale_start = body.sale_start,
                   .sale_end = body.sale_end,
                   .room = extras.room,
                   .seats_per_person = extras.seats_per_person,
                   .hold = {},
                   .layout = std::move(extras.layout)};
    if (extras.hold_seconds) wish.hold = seconds(*extras.hold_seconds);
    if (!extras.layout_template) return wish;
    std::vector<FieldError> wrong;
    if (wish.layout) wrong.push_back({"template", "cannot be given with a layout"});
    wish.layout = layout_template(*extras.layout_template);
    if (!wish.layout) wrong.push_back({"template", "must be hall, arena or stadium"});
    if (!wrong.empty()) return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    return wish;
}

std::string tag_of(std::int64_t version) { return "\"" + std::to_string(version) + "\""; }

// The version that If-Match names; empty where there is none or it is "*".
Result<std::optional<std::int64_t>> wanted_version(const Request& request) {
    const std::string_view header = request.header("If-Match");
    if (header.empty() || header == "*") return std::nullopt;
    std::int64_t version = 0;
    const char* end = header.data() + header.size();
    if (header.size() < 3 || header.front() != '"' || header.back() != '"' ||
        std::from_chars(header.data() + 1, end - 1, version).ptr != end - 1)
        return fail(Code::PRECONDITION_FAILED);
    return version;
}

} // namespace

void AdminRoutes::add_to(Router& router) {
    router.add<&AdminRoutes::create>(Method::post, "/api/v1/admin/events", *this);
    router.add<&AdminRoutes::list>(Method::get, "/api/v1/admin/events", *this);
    router.add<&AdminRoutes::read>(Method::get, "/api/v1/admin/events/{id}", *this);
    router.add<&AdminRoutes::change>(Method::patch, "/api/v1/admin/events/{id}", *this);
    router.add<&AdminRoutes::publish>(Method::post, "/api/v1/admin/events/{id}/publish", *this);
    router.add<&AdminRoutes::audit>(Method::get, "/api/v1/admin/audit", *this);
}

Result<Response> show_event(const Service& service, int status, const EventId& event) {
    const SeatMap* map = service.find(event);
    if (!map) return fail(Code::NOT_FOUND);
    Response response = json_response(status, event_json(*map, service.now()));
    response.add("ETag", tag_of(map->event().version)).add("Cache-Control", "no-store");
    return response;
}

Task<Result<Response>> AdminRoutes::create(Context context, Request request) {
    TRY(need_admin(context));
    std::optional<IdempotencyKey> key;
    if (request.has_header("Idempotency-Key")) key = TRY(key_of(context, request, "createEvent"));
    EventWish wish = TRY(wish_of<CreateEventBody>(request));
    if (!wish.layout) {
        std::vector<FieldError> wrong{{"layout", "is required, or a template"}};
        co_return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    }
    const EventId id = TRY(co_await service_.create(context, std::move(wish), std::move(key)));
    co_return show_event(service_, 201, id);
}

Task<Result<Response>> AdminRoutes::list(Context context, Request request) {
    TRY(need_admin(context));
    const Page page = TRY(page_of(request.query));
    const auto& events = service_.events();
    std::string items;
    std::size_t count = 0;
    std::optional<std::string> last;
    auto at = events.lower_bound(EventId{page.before});
    while (at != events.begin() && count < page.limit) {
        --at;
        items += (items.empty() ? "" : ",") + event_json(*at->second, service_.now());
        last = at->first.text();
        ++count;
    }
    if (at == events.begin()) last.reset();
    co_return json_response(200, page_json(items, last));
}

Task<Result<Response>> AdminRoutes::read(Context context, Request request) {
    TRY(need_admin(context));
    co_return show_event(service_, 200, TRY(id_of<EventId>(request.parameters[0])));
}

Task<Result<Response>> AdminRoutes::change(Context context, Request request) {
    TRY(need_admin(context));
    const EventId id = TRY(id_of<EventId>(request.parameters[0]));
    const auto version = TRY(wanted_version(request));
    EventWish wish = TRY(wish_of<ChangeEventBody>(request));
    TRY(co_await service_.change(context, id, version, std::move(wish)));
    co_return show_event(service_, 200, id);
}

Task<Result<Response>> AdminRoutes::publish(Context context, Request request) {
    TRY(need_admin(context));
    const EventId id = TRY(id_of<EventId>(request.parameters[0]));
    TRY(co_await service_.publish(context, id));
    co_return show_event(service_, 200, id);
}

Task<Result<Response>> AdminRoutes::audit(Context context, Request request) {
    TRY(need_admin(context));
    const Page page = TRY(page_of(request.query));
    auto lines = TRY(co_await service_.audit(context, page));
    const auto next = cut_page(lines, page);
    std::string items;
    for (AuditLine& line : lines) {
        const AuditBody body{line.id,      line.at,
                             line.account, std::move(line.act),
                             line.subject, std::move(line.detail)};
        items += (items.empty() ? "" : ",") + to_json(body);
    }
    co_return json_response(200, page_json(items, next));
}

} // namespace urr::ticket
