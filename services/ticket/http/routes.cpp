#include "services/ticket/http/routes.hpp"

#include "services/ticket/http/bodies.hpp"

namespace urr::ticket {

namespace {

template <class IdType>
Result<IdType> id_of(std::string_view text) {
    const auto id = IdType::parse(text);
    if (!id) return fail(Code::NOT_FOUND);
    return *id;
}

Result<IdempotencyKey> key_of(const Context& context, const Request& request, const char* route) {
    const std::string_view header = request.header("Idempotency-Key");
    TRY_PLAIN(check_idempotency_key(header));
    return IdempotencyKey{context.principal.account, route, std::string(header),
                          sha256(request.body)};
}

Result<> need_json(const Request& request) {
    if (!request.header("Content-Type").starts_with(type_json))
        return fail(Code::UNSUPPORTED_MEDIA_TYPE);
    return {};
}

Result<> need_user(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    return {};
}

Result<> need_admin(const Context& context) {
    TRY_PLAIN(need_user(context));
    if (context.principal.role != Role::admin) return fail(Code::FORBIDDEN);
    return {};
}

ReservationBody body_of(const Reservation& r, const SeatMap* map) {
    ReservationBody body;
    body.id = r.id;
    body.event = r.event;
    body.state = state_name(r.state);
    body.seats = r.seats;
    for (const std::int64_t seat : r.seats)
        body.labels.push_back(map ? seat_label(map->event().layout, seat) : std::to_string(seat));
    body.amount = r.amount;
    body.created = r.created;
    body.expires = r.expires;
    return body;
}

EventBody body_of(const SeatMap& map, Instant now) {
    const Event& e = map.event();
    EventBody body;
    body.id = e.id;
    body.title = e.title;
    body.artist = e.artist;
    body.venue = e.venue;
    body.status = status_name(status_at(e.published, now, e.sale_start, e.sale_end, map.stock()));
    body.event_at = e.event_at;
    body.sale_start = e.sale_start;
    body.sale_end = e.sale_end;
    body.seats = seat_count(e.layout);
    body.free = map.stock().free;
    body.seats_per_person = e.seats_per_person;
    body.published = e.published;
    body.room = e.room;
    return body;
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::seats>(Method::get, "/api/v1/seats/{eventId}", *this);
    router.add<&Routes::layout>(Method::get, "/api/v1/seats/{eventId}/layout", *this);
    router.add<&Routes::stream>(Method::get, "/api/v1/seats/{eventId}/stream", *this);
    router.add<&Routes::best>(Method::post, "/api/v1/seats/{eventId}/best", *this);
    router.add<&Routes::reserve>(Method::post, "/api/v1/reservations", *this);
    router.add<&Routes::mine>(Method::get, "/api/v1/reservations/mine", *this);
    router.add<&Routes::one>(Method::get, "/api/v1/reservations/{id}", *this);
    router.add<&Routes::cancel>(Method::post, "/api/v1/reservations/{id}/cancel", *this);
    router.add<&Routes::tickets>(Method::get, "/api/v1/tickets/mine", *this);
    router.add<&Routes::ticket>(Method::get, "/api/v1/tickets/{id}", *this);
    router.add<&Routes::time>(Method::get, "/api/v1/time", *this);
    router.add<&Routes::create_event>(Method::post, "/api/v1/admin/events", *this);
    router.add<&Routes::read_event>(Method::get, "/api/v1/admin/events/{id}", *this);
    router.add<&Routes::publish_event>(Method::post, "/api/v1/admin/events/{id}/publish", *this);
    router.add<&Routes::begin_payment>(Method::post, "/internal/reservations/{id}/begin-payment",
                                       *this);
    router.add<&Routes::order>(Method::get, "/internal/reservations/{id}", *this);
}

Task<Result<Response>> Routes::seats(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    const SeatMap* map = service_.find(event);
    if (!map || !map->event().published) co_return fail(Code::NOT_FOUND);
    const std::string tag = "\"" + std::to_string(map->revision()) + "\"";
    Response response;
    if (request.header("If-None-Match") == tag)
        response.status = 304;
    else
        response = json_response(200, "{\"eventId\":\"" + event.text() +
                                          "\",\"revision\":" + std::to_string(map->revision()) +
                                          ",\"seats\":\"" + map->letters() + "\"}");
    response.add("ETag", tag).add("Cache-Control", "private, no-cache");
    co_return response;
}

Task<Result<Response>> Routes::layout(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    const SeatMap* map = service_.find(event);
    if (!map || !map->event().published) co_return fail(Code::NOT_FOUND);
    Response response = json_response(200, map->layout_json());
    response.add("Cache-Control", "private, max-age=86400, immutable");
    co_return response;
}

Task<Result<Response>> Routes::stream(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    SeatMap* map = service_.find(event);
    if (!map || !map->event().published) co_return fail(Code::NOT_FOUND);
    Response response;
    response.content_type = type_events;
    response.add("Cache-Control", "no-store");
    response.stream = map->subscribe();
    co_return response;
}

Task<Result<Response>> Routes::best(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(need_user(context));
    TRY(service_.check_entry(context, event));
    IdempotencyKey key = TRY(key_of(context, request, "best"));
    TRY(need_json(request));
    BestBody body = TRY(read_json<BestBody>(request.body));
    const Reservation reservation = TRY(co_await service_.reserve_best(
        context, event, body.count, body.grade.value_or(""), std::move(key)));
    co_return json_response(201, to_json(body_of(reservation, service_.find(event))));
}

Task<Result<Response>> Routes::reserve(Context context, Request request) {
    TRY(need_user(context));
    IdempotencyKey key = TRY(key_of(context, request, "reserve"));
    TRY(need_json(request));
    ReserveBody body = TRY(read_json<ReserveBody>(request.body));
    TRY(service_.check_entry(context, body.event));
    const EventId event = body.event;
    const Reservation reservation =
        TRY(co_await service_.reserve(context, event, std::move(body.seats), std::move(key)));
    co_return json_response(201, to_json(body_of(reservation, service_.find(event))));
}

Task<Result<Response>> Routes::mine(Context context, Request) {
    TRY(need_user(context));
    ReservationList list;
    for (const Reservation& r : TRY(co_await service_.reservations(context)))
        list.items.push_back(body_of(r, service_.find(r.event)));
    co_return json_response(200, to_json(list));
}

Task<Result<Response>> Routes::one(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<ReservationId>(request.parameters[0]));
    const Reservation r = TRY(co_await service_.reservation(context, id));
    co_return json_response(200, to_json(body_of(r, service_.find(r.event))));
}

Task<Result<Response>> Routes::cancel(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<ReservationId>(request.parameters[0]));
    const Reservation r = TRY(co_await service_.cancel(context, id));
    co_return json_response(200, to_json(body_of(r, service_.find(r.event))));
}

Task<Result<Response>> Routes::tickets(Context context, Request) {
    TRY(need_user(context));
    TicketList list;
    for (const TicketRow& t : TRY(co_await service_.tickets(context))) {
        const SeatMap* map = service_.find(t.event);
        list.items.push_back({t.id, t.reservation, t.event, t.seat,
                              map ? seat_label(map->event().layout, t.seat) : "",
                              std::string(state_name(t.state)), service_.ticket_code(t)});
    }
    co_return json_response(200, to_json(list));
}

Task<Result<Response>> Routes::ticket(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<TicketId>(request.parameters[0]));
    const TicketRow t = TRY(co_await service_.ticket(context, id));
    const SeatMap* map = service_.find(t.event);
    const TicketBody body{t.id,
                          t.reservation,
                          t.event,
                          t.seat,
                          map ? seat_label(map->event().layout, t.seat) : "",
                          std::string(state_name(t.state)),
                          service_.ticket_code(t)};
    co_return json_response(200, to_json(body));
}

Task<Result<Response>> Routes::time(Context, Request) {
    Response response = json_response(200, "{\"now\":\"" + to_rfc3339(service_.now()) + "\"}");
    response.add("Cache-Control", "no-store");
    co_return response;
}

Task<Result<Response>> Routes::create_event(Context context, Request request) {
    TRY(need_admin(context));
    TRY(need_json(request));
    CreateEventBody body = TRY(read_json<CreateEventBody>(request.body));
    NewEvent wanted{std::move(body.title),
                    body.artist.value_or(""),
                    std::move(body.venue),
                    body.event_at,
                    body.sale_start,
                    body.sale_end,
                    body.room.value_or(true),
                    body.seats_per_person.value_or(4),
                    {}};
    auto layout =
        body.layout_template ? layout_template(*body.layout_template) : std::move(body.layout);
    if (!layout) {
        std::vector<FieldError> wrong{{"template", "hall, arena or stadium, or give a layout"}};
        co_return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    }
    wanted.layout = std::move(*layout);
    const EventId id = TRY(co_await service_.create(context, std::move(wanted)));
    co_return json_response(201, to_json(body_of(*service_.find(id), service_.now())));
}

Task<Result<Response>> Routes::read_event(Context context, Request request) {
    TRY(need_admin(context));
    const SeatMap* map = service_.find(TRY(id_of<EventId>(request.parameters[0])));
    if (!map) co_return fail(Code::NOT_FOUND);
    co_return json_response(200, to_json(body_of(*map, service_.now())));
}

Task<Result<Response>> Routes::publish_event(Context context, Request request) {
    TRY(need_admin(context));
    const EventId id = TRY(id_of<EventId>(request.parameters[0]));
    TRY(co_await service_.publish(context, id));
    co_return json_response(200, to_json(body_of(*service_.find(id), service_.now())));
}

Task<Result<Response>> Routes::begin_payment(Context context, Request request) {
    const auto id = TRY(id_of<ReservationId>(request.parameters[0]));
    const BeginBody body = TRY(read_json<BeginBody>(request.body));
    co_return json_response(200, to_json(TRY(co_await service_.begin(context, id, body.attempt))));
}

Task<Result<Response>> Routes::order(Context context, Request request) {
    const auto id = TRY(id_of<ReservationId>(request.parameters[0]));
    const Reservation r = TRY(co_await service_.order(context, id));
    co_return json_response(
        200, to_json(OrderBody{r.account, r.amount, r.expires, std::string(state_name(r.state))}));
}

} // namespace urr::ticket
