#include "services/queue/http/routes.hpp"

#include "libs/http/path.hpp"
#include "services/queue/http/render.hpp"

namespace urr::queue {

namespace {

constexpr std::int64_t message_bytes_max = 500;

struct ThresholdBody {
    std::int64_t threshold = 0;
};
template <class Archive>
void describe(Archive& a, ThresholdBody& v) {
    a.field("threshold", v.threshold, Limits{.min = 0, .max = 1'000'000});
}
struct RateBody {
    std::int64_t per_second = 0;
};
template <class Archive>
void describe(Archive& a, RateBody& v) {
    a.field("perSecond", v.per_second, Limits{.min = 0, .max = 100'000});
}
struct StateBody {
    RoomLever state = RoomLever::automatic;
};
template <class Archive>
void describe(Archive& a, StateBody& v) {
    a.field("state", v.state);
}
struct MessageBody {
    std::optional<std::string> message;
};
template <class Archive>
void describe(Archive& a, MessageBody& v) {
    a.field("message", v.message, Limits{.min = 0, .max = message_bytes_max});
}

Result<EventId> event_of(const Request& request) {
    const auto event = EventId::parse(request.parameters[0]);
    if (!event) return fail(Code::NOT_FOUND);
    return *event;
}

Result<> need_user(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    if (!context.principal.verified) return fail(Code::EMAIL_NOT_VERIFIED);
    return {};
}

Result<> need_admin(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    if (context.principal.role != Role::admin) return fail(Code::FORBIDDEN);
    return {};
}

std::string header_or_cookie(const Request& request, std::string_view header,
                             std::string_view cookie) {
    const std::string_view text = request.header(header);
    return std::string(text.empty() ? request.cookie(cookie) : text);
}

Shown shown_by(const Request& request) {
    return {header_or_cookie(request, "x-urr-vwr-token", "urr-vwr-token"),
            header_or_cookie(request, "x-urr-place", "urr-place"),
            header_or_cookie(request, "x-queue-entry-token", "urr-entry-token")};
}

Result<bool> is_dry_run(const Request& request) {
    const auto text = TRY_PLAIN(query_value(request.query, "dryRun"));
    if (!text || *text == "false") return false;
    if (*text == "true") return true;
    std::vector<FieldError> wrong{{"dryRun", "must be true or false"}};
    return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
}

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::enter>(Method::post, "/api/v1/queue/{eventId}/entry", *this);
    router.add<&Routes::status>(Method::get, "/api/v1/queue/{eventId}/status", *this);
    router.add<&Routes::heartbeat>(Method::post, "/api/v1/queue/{eventId}/heartbeat", *this);
    router.add<&Routes::leave>(Method::del, "/api/v1/queue/{eventId}/entry", *this);
    router.add<&Routes::stream>(Method::get, "/api/v1/queue/{eventId}/stream", *this);
    router.add<&Routes::overview>(Method::get, "/api/v1/queue/admin/{eventId}", *this);
    router.add<&Routes::acts>(Method::get, "/api/v1/queue/admin/{eventId}/acts", *this);
    router.add<&Routes::threshold>(Method::post, "/api/v1/queue/admin/{eventId}/threshold", *this);
    router.add<&Routes::rate>(Method::post, "/api/v1/queue/admin/{eventId}/rate", *this);
    router.add<&Routes::state>(Method::post, "/api/v1/queue/admin/{eventId}/state", *this);
    router.add<&Routes::message>(Method::post, "/api/v1/queue/admin/{eventId}/message", *this);
    router.add<&Routes::pause>(Method::post, "/api/v1/queue/admin/{eventId}/pause", *this);
    router.add<&Routes::resume>(Method::post, "/api/v1/queue/admin/{eventId}/resume", *this);
    router.add<&Routes::clear>(Method::post, "/api/v1/queue/admin/{eventId}/clear", *this);
}

Response Routes::answer(const Standing& standing, const EventId& event) const {
    Response response = json_response(200, render(standing));
    response.add("Cache-Control", "no-store");
    // The entry goes to the seats and the reservations, the place back here alone.
    std::string cookie =
        standing.active ? "urr-entry-token=" + standing.entry_token + "; Path=/api/v1; Max-Age=600"
                        : "urr-place=" + standing.place_token + "; Path=/api/v1/queue/" +
                              event.text() + "; Max-Age=86400";
    cookie += "; HttpOnly; SameSite=Lax";
    if (secure_cookies_) cookie += "; Secure";
    response.add("Set-Cookie", cookie);
    return response;
}

Task<Result<Response>> Routes::enter(Context context, Request request) {
    TRY(need_user(context));
    const EventId event = TRY(event_of(request));
    co_return answer(TRY(co_await service_.enter(context, event, shown_by(request))), event);
}

Task<Result<Response>> Routes::status(Context context, Request request) {
    TRY(need_user(context));
    const EventId event = TRY(event_of(request));
    co_return answer(TRY(co_await service_.status(context, event, shown_by(request))), event);
}

Task<Result<Response>> Routes::heartbeat(Context context, Request request) {
    TRY(need_user(context));
    TRY(co_await service_.status(context, TRY(event_of(request)), shown_by(request)));
    co_return no_content();
}

Task<Result<Response>> Routes::leave(Context context, Request request) {
    TRY(need_user(context));
    TRY(co_await service_.leave(context, TRY(event_of(request))));
    co_return no_content();
}

Task<Result<Response>> Routes::stream(Context context, Request request) {
    TRY(need_user(context));
    const EventId event = TRY(event_of(request));
    Response response;
    response.content_type = type_events;
    response.add("Cache-Control", "no-store");
    response.stream = TRY(service_.listen(context, event, request.header("Last-Event-ID")));
    co_return response;
}

Task<Result<Response>> Routes::overview(Context context, Request request) {
    TRY(need_admin(context));
    const Overview now = TRY(service_.overview(TRY(event_of(request))));
    co_return json_response(200, render(now, nullptr, false));
}

Task<Result<Response>> Routes::acts(Context context, Request request) {
    TRY(need_admin(context));
    const EventId event = TRY(event_of(request));
    co_return json_response(200, render(TRY(co_await service_.acts(context, event))));
}

Task<Result<Response>> Routes::pull(Context context, Request request, Pull pull) {
    const EventId event = TRY(event_of(request));
    const bool dry_run = TRY(is_dry_run(request));
    const Pulled done = TRY(co_await service_.pull(context, event, std::move(pull), dry_run));
    co_return json_response(200, render(done.overview, &done.effect, dry_run));
}

Task<Result<Response>> Routes::threshold(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.threshold = TRY(read_json<ThresholdBody>(request.body)).threshold;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::rate(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.per_second = TRY(read_json<RateBody>(request.body)).per_second;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::state(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.room = TRY(read_json<StateBody>(request.body)).state;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::message(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.message = TRY(read_json<MessageBody>(request.body)).message.value_or("");
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::pause(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.paused = true;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::resume(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.paused = false;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

Task<Result<Response>> Routes::clear(Context context, Request request) {
    TRY(need_admin(context));
    Pull wanted;
    wanted.clear = true;
    co_return TRY(co_await pull(context, request, std::move(wanted)));
}

} // namespace urr::queue
