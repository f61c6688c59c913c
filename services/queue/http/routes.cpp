#include "services/queue/http/routes.hpp"

#include <cstdio>

#include "libs/core/json.hpp"

namespace urr::queue {

namespace {

struct ThresholdBody {
    std::int64_t threshold = 0;
};
template <class Archive>
void describe(Archive& a, ThresholdBody& v) {
    a.field("threshold", v.threshold, Limits{.min = 0, .max = 1'000'000});
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

Response render(const Standing& s, const EventId& event) {
    std::string body;
    if (s.active) {
        body = "{\"status\":\"active\",\"entryToken\":\"" + s.entry_token + "\",\"expiresAt\":\"" +
               to_rfc3339(s.expires) + "\"}";
    } else {
        body = "{\"status\":\"queued\",\"position\":" + std::to_string(s.ahead + 1) +
               ",\"ahead\":" + std::to_string(s.ahead) + ",\"behind\":" + std::to_string(s.behind) +
               ",\"waitSeconds\":" + std::to_string(s.wait_seconds) +
               ",\"pollAfterSeconds\":" + std::to_string(s.poll_after_seconds) +
               ",\"soldOut\":" + (s.sold_out ? "true" : "false");
        if (s.odds) {
            char text[32];
            std::snprintf(text, sizeof text, ",\"odds\":%.2f", *s.odds);
            body += text;
        }
        body += ",\"place\":\"" + s.place + "\"}";
    }
    Response response = json_response(200, std::move(body));
    response.add("Cache-Control", "no-store");
    const std::string cookie =
        s.active ? "urr-entry-token=" + s.entry_token + "; Path=/api/v1/seats/" + event.text()
                 : "urr-place=" + s.place + "; Path=/api/v1/queue/" + event.text();
    response.add("Set-Cookie", cookie + "; HttpOnly; Secure; SameSite=Lax");
    return response;
}

Response render(const Service::Overview& o) {
    return json_response(200, "{\"waiting\":" + std::to_string(o.waiting) +
                                  ",\"active\":" + std::to_string(o.active) +
                                  ",\"threshold\":" + std::to_string(o.threshold) +
                                  ",\"paused\":" + (o.paused ? "true" : "false") + "}");
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::enter>(Method::post, "/api/v1/queue/{eventId}/entry", *this);
    router.add<&Routes::status>(Method::get, "/api/v1/queue/{eventId}/status", *this);
    router.add<&Routes::heartbeat>(Method::post, "/api/v1/queue/{eventId}/heartbeat", *this);
    router.add<&Routes::leave>(Method::del, "/api/v1/queue/{eventId}/entry", *this);
    router.add<&Routes::overview>(Method::get, "/api/v1/queue/admin/{eventId}", *this);
    router.add<&Routes::threshold>(Method::post, "/api/v1/queue/admin/{eventId}/threshold", *this);
    router.add<&Routes::pause>(Method::post, "/api/v1/queue/admin/{eventId}/pause", *this);
    router.add<&Routes::resume>(Method::post, "/api/v1/queue/admin/{eventId}/resume", *this);
}

Task<Result<Response>> Routes::enter(Context context, Request request) {
    TRY(need_user(context));
    const EventId event = TRY(event_of(request));
    std::string token(request.header("x-urr-vwr-token"));
    if (token.empty()) token = request.cookie("urr-vwr-token");
    const Standing s = TRY(co_await service_.enter(context, event, std::move(token)));
    co_return render(s, event);
}

Task<Result<Response>> Routes::status(Context context, Request request) {
    TRY(need_user(context));
    const EventId event = TRY(event_of(request));
    co_return render(TRY(service_.status(context, event)), event);
}

Task<Result<Response>> Routes::heartbeat(Context context, Request request) {
    TRY(need_user(context));
    TRY(service_.status(context, TRY(event_of(request))));
    Response response;
    response.status = 204;
    co_return response;
}

Task<Result<Response>> Routes::leave(Context context, Request request) {
    TRY(need_user(context));
    TRY(co_await service_.leave(context, TRY(event_of(request))));
    Response response;
    response.status = 204;
    co_return response;
}

Task<Result<Response>> Routes::overview(Context context, Request request) {
    TRY(need_admin(context));
    co_return render(TRY(service_.overview(TRY(event_of(request)))));
}

Task<Result<Response>> Routes::threshold(Context context, Request request) {
    TRY(need_admin(context));
    const ThresholdBody body = TRY(read_json<ThresholdBody>(request.body));
    co_return render(TRY(service_.set_threshold(TRY(event_of(request)), body.threshold)));
}

Task<Result<Response>> Routes::pause(Context context, Request request) {
    TRY(need_admin(context));
    co_return render(TRY(service_.set_paused(TRY(event_of(request)), true)));
}

Task<Result<Response>> Routes::resume(Context context, Request request) {
    TRY(need_admin(context));
    co_return render(TRY(service_.set_paused(TRY(event_of(request)), false)));
}

} // namespace urr::queue
