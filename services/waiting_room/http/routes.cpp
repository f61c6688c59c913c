#include "libs/core/json.hpp"
#include "services/waiting_room/http/door.hpp"
#include "services/waiting_room/http/render.hpp"
#include "services/waiting_room/http/static_page.hpp"

namespace urr::waiting_room {

namespace {

constexpr std::string_view no_store = "no-store";
constexpr std::int64_t positions_max = std::int64_t(1) << 47; // a receipt has 48 bits

struct ReceiptBody {
    std::optional<std::string> receipt;
};
template <class Archive>
void describe(Archive& a, ReceiptBody& v) {
    a.field("receipt", v.receipt, Limits{.min = 1, .max = 200});
}

constexpr std::array<EnumName<RoomState>, room_states> state_names{
    {{RoomState::off, "off"},
     {RoomState::prequeue, "prequeue"},
     {RoomState::open, "open"},
     {RoomState::paused, "paused"},
     {RoomState::sold_out, "soldOut"}}};

Result<EventId> event_parameter(const Request& request) {
    const auto event = EventId::parse(request.parameters[0]);
    if (!event) return fail(Code::NOT_FOUND);
    return *event;
}

// The receipt that a caller shows on purpose: in the body, or as a header.
Result<std::string> shown_receipt(const Request& request) {
    if (const std::string_view header = request.header("x-urr-receipt"); !header.empty())
        return std::string(header);
    if (request.body.empty()) return std::string();
    return TRY_PLAIN(read_json<ReceiptBody>(request.body)).receipt.value_or("");
}

void add_token_cookie(Response& response, std::string_view path, const std::string& event,
                      const std::string& token, bool secure) {
    std::string cookie = "urr-vwr-token=" + token + "; Path=";
    cookie.append(path).append(event).append("; Max-Age=600; HttpOnly; SameSite=Lax");
    if (secure) cookie += "; Secure";
    response.add("Set-Cookie", cookie);
}

} // namespace

constexpr auto enum_names(RoomState) { return state_names; }

template <class Archive>
void describe(Archive& a, SeenRoom& v) {
    a.field("phase", v.phase);
    a.field("nextPosition", v.next, Limits{.min = 1, .max = positions_max});
    a.field("serving", v.serving, Limits{.min = 0, .max = positions_max});
    a.field("voidsServed", v.voids_served, Limits{.min = 0, .max = positions_max});
}

template <class Archive>
void describe(Archive& a, Report& v) {
    a.field("epoch", v.epoch, Limits{.min = 1});
    a.field("sequence", v.sequence, Limits{.min = 0});
    a.field("state", v.state);
    a.field("rate", v.rate_per_minute, Limits{.min = 0, .max = 10'000'000});
    a.field("soldOut", v.sold_out);
    a.field("phase", v.phase);
    a.field("seen", v.seen);
}

Door::Door(WaitingRoom& rooms, const CallerKeys& callers, const Clock& clock, Loop& loop,
           const DoorSettings& settings, std::uint64_t seed)
    : rooms_(rooms), callers_(callers), clock_(clock), loop_(loop), settings_(settings),
      cookie_path_("; Path=" + settings.public_prefix + "/vwr/assign/"),
      cookie_end_(settings.secure_cookies ? "; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"
                                          : "; Max-Age=86400; HttpOnly; SameSite=Lax"),
      assign_limit_(settings.assign_limit, seed) {
    router_.add<&Door::assign>(Method::post, "/vwr/assign/{eventId}", *this);
    router_.add<&Door::status>(Method::get, "/vwr/status/{eventId}", *this);
    router_.add<&Door::check>(Method::get, "/vwr/check/{eventId}/{requestId}", *this);
    router_.add<&Door::steer>(Method::put, "/vwr/rooms/{eventId}", *this);
    router_.add<&Door::page>(Method::get, "/vwr/{eventId}", *this);
    router_.add<&Door::asset>(Method::get, "/vwr/assets/{file}", *this);
}

Task<Response> Door::handle(Context context, Request request) {
    return router_.handle(context, request);
}

Task<Result<Response>> Door::assign(Context context, Request request) {
    const EventId event = TRY(event_parameter(request));
    std::string shown = TRY(shown_receipt(request));
    // A cookie nobody chose to show is a hint: one that is none of ours is passed over.
    if (shown.empty()) {
        const std::string_view cookie = request.cookie("urr-receipt");
        if (read_receipt(rooms_.keys(), event, cookie)) shown = cookie;
    }
    if (shown.empty() && !assign_limit_.allow(settings_.trusted.client_of(request), loop_.now())) {
        count(counters_.limited);
        co_return fail(Error(Code::RATE_LIMITED).retry_after(1));
    }
    const Placed placed = TRY(co_await rooms_.assign(context, event, shown));
    count(placed.repeated ? counters_.repeated : counters_.assigned);
    const std::string_view request_id(placed.text.data(), placed.text.size());
    std::string body;
    append_place(body, request_id, placed.receipt, placed.view);
    Response response = json_response(201, std::move(body));
    std::string cookie;
    append_receipt_cookie(cookie, request.parameters[0], request_id);
    response.add("Cache-Control", no_store).add("Set-Cookie", cookie);
    co_return response;
}

Task<Result<Response>> Door::status(Context, Request request) {
    SharedRoom* room = rooms_.find(TRY(event_parameter(request)));
    if (!room) co_return fail(Code::NOT_FOUND);
    count(counters_.statuses);
    Response response = json_response(200, status_body(*room));
    response.add("Cache-Control", "public, max-age=1");
    co_return response;
}

Task<Result<Response>> Door::check(Context context, Request request) {
    const EventId event = TRY(event_parameter(request));
    const Checked checked = TRY(co_await rooms_.check(context, event, request.parameters[1]));
    count(checked.token.empty() ? counters_.checked : counters_.admitted);
    std::string body;
    if (checked.token.empty())
        append_waiting(body, checked.receipt, checked.view);
    else
        body = "{\"admitted\":true,\"token\":\"" + checked.token + "\"}";
    Response response = json_response(200, std::move(body));
    response.add("Cache-Control", no_store);
    if (!checked.token.empty()) {
        const std::string id = event.text();
        add_token_cookie(response, "/queue/", id, checked.token, settings_.secure_cookies);
        add_token_cookie(response, "/api/v1/queue/", id, checked.token, settings_.secure_cookies);
    }
    co_return response;
}

Task<Result<Response>> Door::steer(Context, Request request) {
    TRY(believed_caller(callers_, "vwr", request, clock_.now()));
    if (request.header("X-Urr-Caller") != "queue") co_return fail(Code::FORBIDDEN);
    const EventId event = TRY(event_parameter(request));
    const Report report = TRY(read_json<Report>(request.body));
    SharedRoom* room = TRY(co_await rooms_.keeper().steer(event, report));
    co_return json_response(200, status_body(*room));
}

Task<Result<Response>> Door::page(Context, Request request) {
    TRY(event_parameter(request));
    co_return static_page("index.html", request.header("if-none-match"));
}

Task<Result<Response>> Door::asset(Context, Request request) {
    co_return static_page(request.parameters[0], request.header("if-none-match"));
}

} // namespace urr::waiting_room
