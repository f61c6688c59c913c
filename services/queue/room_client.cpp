#include "services/queue/room_client.hpp"

#include "libs/contract/answer.hpp"

namespace urr::queue {

namespace {

struct StatusBody {
    static constexpr bool open = true;
    RoomSeen seen;
};
template <class Archive>
void describe(Archive& a, StatusBody& v) {
    a.field("epoch", v.seen.epoch);
    a.field("phase", v.seen.phase);
    a.field("nextPosition", v.seen.next);
    a.field("serving", v.seen.serving);
    a.field("voidsServed", v.seen.voids_served);
    a.field("waiting", v.seen.waiting);
}

Result<RoomSeen> seen_in(Result<Response> answer) {
    const std::string body = TRY_PLAIN(body_of(std::move(answer)));
    return TRY_PLAIN(read_json<StatusBody>(body)).seen;
}

std::string body_of_report(const RoomReport& report, const RoomSeen& seen) {
    std::string body = "{\"epoch\":" + std::to_string(report.epoch) +
                       ",\"sequence\":" + std::to_string(report.sequence) + ",\"state\":\"" +
                       std::string(report.state) +
                       "\",\"rate\":" + std::to_string(report.rate_per_minute) +
                       ",\"soldOut\":" + (report.sold_out ? "true" : "false");
    if (seen.next && seen.epoch == report.epoch)
        body += ",\"seen\":{\"phase\":" + std::to_string(seen.phase) +
                ",\"nextPosition\":" + std::to_string(seen.next) +
                ",\"serving\":" + std::to_string(seen.serving) +
                ",\"voidsServed\":" + std::to_string(seen.voids_served) + "}";
    return body + "}";
}

} // namespace

Task<Result<RoomSeen>> RoomClient::report(Context context, EventId event, RoomReport report,
                                          RoomSeen seen) {
    const std::string path = "/vwr/rooms/" + event.text();
    const std::string body = body_of_report(report, seen);
    Request request;
    request.method = Method::put;
    request.target = request.path = path;
    request.body = body;
    request.add_header("Content-Type", type_json);
    const CallerHeaders headers(key_, "vwr", Principal{}, request, clock_.now());
    headers.attach(request);
    co_return seen_in(co_await room_.send(context, request));
}

Task<Result<RoomSeen>> RoomClient::status(Context context, EventId event) {
    const std::string path = "/vwr/status/" + event.text();
    Request request;
    request.target = request.path = path;
    co_return seen_in(co_await room_.send(context, request));
}

} // namespace urr::queue
