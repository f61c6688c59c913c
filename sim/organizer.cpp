#include "sim/organizer.hpp"

#include "sim/keys.hpp"

namespace urr::sim {

Organizer::Organizer(Stage& stage) : stage_(stage), random_(stage.around.world.random().next()) {
    Claims claims;
    claims.subject.bytes[0] = 0xad;
    claims.id[0] = 2;
    claims.issued = WallClock::start - hours(24);
    claims.expires = WallClock::start + hours(24 * 365);
    claims.email_verified = true;
    claims.role = Role::admin;
    access_token_ = "Bearer " + sign_token(signing_key(TokenType::access), claims);
}

Task<Answer> Organizer::ask(Method method, std::string path, std::string body) {
    Request request;
    request.method = method;
    request.target = request.path = path;
    request.body = body;
    request.add_header("Authorization", access_token_);
    if (!body.empty()) request.add_header("Content-Type", type_json);
    const auto response = co_await stage_.gateway.send(Context{}, request);
    Answer answer;
    if (response) {
        answer.status = response->status;
        if (auto parsed = parse_json(response->body)) answer.body = std::move(*parsed);
        answer.code = answer.body.text_of("code");
    }
    stage_.around.trace.note("organizer " + path + " -> " + std::to_string(answer.status) + " " +
                             answer.code);
    co_return answer;
}

Task<> Organizer::open_sale() {
    const Plan& plan = stage_.around.plan;
    const std::string body =
        R"({"title":"Night","venue":"Hall","eventAt":"2040-01-01T10:00:00Z",)"
        R"("saleStartAt":"2020-01-01T00:00:00Z","saleEndAt":"2039-01-01T00:00:00Z",)"
        R"("seatsPerPerson":)" +
        std::to_string(plan.seats_per_person) + R"(,"waitingRoom":)" +
        (plan.room ? "true" : "false") +
        R"(,"layout":{"sections":[{"name":"A","grade":"R","price":50000,"rows":1,"seatsPerRow":)" +
        std::to_string(plan.seats) + R"(,"x":0,"y":0,"blocked":[],"accessible":[]}]}})";
    Answer made;
    while (made.status != 201) {
        made = co_await ask(Method::post, "/api/v1/admin/events", body);
        (void)co_await sleep(Context{}, milliseconds(100));
    }
    stage_.event = *EventId::parse(made.body.text_of("id"));
    const std::string path = "/api/v1/admin/events/" + stage_.event.text() + "/publish";
    while ((co_await ask(Method::post, path, "")).status != 200)
        (void)co_await sleep(Context{}, milliseconds(100));
    open_ = true;
}

Task<> Organizer::pull_levers() {
    const std::string base = "/api/v1/queue/admin/" + stage_.event.text();
    while (!stopping_) {
        (void)co_await sleep(Context{}, milliseconds(random_.between(2'000, 15'000)));
        switch (random_.below(3)) {
        case 0:
            (void)co_await ask(Method::post, base + "/pause", "");
            (void)co_await sleep(Context{}, milliseconds(random_.between(500, 6'000)));
            (void)co_await ask(Method::post, base + "/resume", "");
            break;
        case 1:
            (void)co_await ask(Method::post, base + "/threshold",
                               "{\"threshold\":" + std::to_string(random_.below(8)) + "}");
            break;
        default:
            (void)co_await ask(Method::get, base, "");
        }
    }
    while ((co_await ask(Method::post, base + "/resume", "")).status != 200)
        (void)co_await sleep(Context{}, milliseconds(500));
    while ((co_await ask(Method::post, base + "/threshold", "{\"threshold\":8}")).status != 200)
        (void)co_await sleep(Context{}, milliseconds(500));
    stopped_ = true;
}

} // namespace urr::sim
