#include "services/ticket/http/routes.hpp"

#include "libs/http/etag.hpp"
#include "services/ticket/http/bodies.hpp"
#include "services/ticket/http/request.hpp"

namespace urr::ticket {

namespace {

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

TicketBody body_of(const TicketRow& t, const Service& service) {
    const SeatMap* map = service.find(t.event);
    return {t.id,
            t.reservation,
            t.event,
            t.seat,
            map ? seat_label(map->event().layout, t.seat) : std::to_string(t.seat),
            std::string(state_name(t.state)),
            service.ticket_code(t)};
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
    router.add<&Routes::begin_payment>(Method::post, "/internal/reservations/{id}/begin-payment",
                                       *this);
    router.add<&Routes::order>(Method::get, "/internal/reservations/{id}", *this);
}

Task<Result<Response>> Routes::seats(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    const SeatMap* map = TRY(service_.find_published(event));
    const std::string revision = std::to_string(map->revision());
    const std::string tag = "\"" + revision + "\"";
    Response response;
    if (tag_matches(request.header("If-None-Match"), tag))
        response.status = 304;
    else
        response =
            json_response(200, "{\"eventId\":\"" + event.text() + "\",\"revision\":" + revision +
                                   ",\"seats\":\"" + map->letters() + "\"}");
    response.add("ETag", tag).add("Cache-Control", "private, no-cache");
    co_return response;
}

Task<Result<Response>> Routes::layout(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    const SeatMap* map = TRY(service_.find_published(event));
    Response response;
    if (tag_matches(request.header("If-None-Match"), map->layout_tag()))
        response.status = 304;
    else
        response = json_response(200, map->layout_json());
    response.add("ETag", map->layout_tag());
    response.add("Cache-Control",
                 map->frozen() ? "private, max-age=86400, immutable" : "private, no-cache");
    co_return response;
}

Task<Result<Response>> Routes::stream(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    TRY(service_.check_entry(context, event));
    SeatMap* map = TRY(service_.find_published(event));
    Response response;
    response.content_type = type_events;
    response.add("Cache-Control", "no-store");
    response.stream = map->subscribe(request.header("Last-Event-ID"));
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

Task<Result<Response>> Routes::mine(Context context, Request request) {
    TRY(need_user(context));
    const Page page = TRY(page_of(request.query));
    auto all = TRY(co_await service_.reservations(context, page));
    const auto next = cut_page(all, page);
    std::string items;
    for (const Reservation& r : all)
        items += (items.empty() ? "" : ",") + to_json(body_of(r, service_.find(r.event)));
    co_return json_response(200, page_json(items, next));
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

Task<Result<Response>> Routes::tickets(Context context, Request request) {
    TRY(need_user(context));
    const Page page = TRY(page_of(request.query));
    auto all = TRY(co_await service_.tickets(context, page));
    const auto next = cut_page(all, page);
    std::string items;
    for (const TicketRow& t : all)
        items += (items.empty() ? "" : ",") + to_json(body_of(t, service_));
    co_return json_response(200, page_json(items, next));
}

Task<Result<Response>> Routes::ticket(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<TicketId>(request.parameters[0]));
    const TicketRow t = TRY(co_await service_.ticket(context, id));
    co_return json_response(200, to_json(body_of(t, service_)));
}

Task<Result<Response>> Routes::time(Context, Request) {
    Response response = json_response(200, "{\"now\":\"" + to_rfc3339(service_.now()) + "\"}");
    response.add("Cache-Control", "no-store");
    co_return response;
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
