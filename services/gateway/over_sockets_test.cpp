// The gateway as a role of its own: services behind sockets.
#include <future>

#include "libs/contract/guarded.hpp"
#include "libs/http/test_server.hpp"
#include "services/gateway/gateway.hpp"

namespace urr::gateway {
namespace {

struct Service {
    std::unique_ptr<Broadcast> frames = std::make_unique<Broadcast>();

    Task<Result<Response>> stream(Context, Request) {
        Response response;
        response.content_type = type_events;
        response.stream = frames->subscribe(event_frame("first", "1"));
        co_return response;
    }
    Task<Result<Response>> echo(Context, Request request) {
        co_return json_response(200, std::string(request.body));
    }
    // How long the caller still waits, in milliseconds.
    Task<Result<Response>> left(Context context, Request) {
        const Duration left = context.deadline - Loop::here().now();
        co_return json_response(200, std::to_string(left.us / 1000));
    }
};

// Gateway and service on one loop of a thread, each with a port.
struct Apart {
    SystemClock clock;
    SystemRandom random;
    EndedSessions ended;
    Service service;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<GuardedService> ticket;
    std::unique_ptr<HttpServer> ticket_server, gateway_server;
    std::unique_ptr<Transport> to_ticket, to_nobody;
    std::unique_ptr<Gateway> gateway;
    std::thread thread;

    Apart() {
        CallerKeys callers;
        callers.emplace("gateway", HmacKey("g"));
        ticket = std::make_unique<GuardedService>("ticket", std::move(callers),
                                                  std::set<std::string, std::less<>>{}, clock);
        Router& router = ticket->router();
        router.add<&Service::stream>(Method::get, "/api/v1/time/stream", service);
        router.add<&Service::echo>(Method::post, "/api/v1/time/echo", service);
        router.add<&Service::left>(Method::get, "/api/v1/time", service);
        ticket_server = must(listen_http(*loop, "127.0.0.1", 0, *ticket, {}));
        to_ticket = connect_http(*loop, "127.0.0.1", ticket_server->port(), {});
        to_nobody = connect_http(*loop, "127.0.0.1", 1, {});
        Options options;
        options.caller_keys[std::size_t(Target::ticket)] = HmacKey("g");
        std::array<Transport*, targets> upstreams{};
        upstreams[std::size_t(Target::ticket)] = to_ticket.get();
        upstreams[std::size_t(Target::catalog)] = to_nobody.get();
        gateway =
            std::make_unique<Gateway>(std::move(options), clock, random, ended, upstreams, nullptr);
        gateway_server = must(listen_http(*loop, "127.0.0.1", 0, *gateway, {}));
        thread = std::thread([this] { loop->run(); });
    }
    ~Apart() {
        loop->stop();
        thread.join();
        Loop::Enter in(loop.get());
        gateway_server.reset();
        ticket_server.reset();
        to_ticket.reset();
        to_nobody.reset();
    }
    // Runs on the loop and waits for it.
    template <class Work>
    auto on_loop(Work work) {
        struct Job : Node {
            std::packaged_task<decltype(work())()> task;
            explicit Job(Work w)
                : Node([](Node& node) { static_cast<Job&>(node).task(); }), task(std::move(w)) {}
        };
        Job job(std::move(work));
        auto done = job.task.get_future();
        loop->post(job);
        return done.get();
    }
    std::uint16_t port() const { return gateway_server->port(); }
};

TEST(GatewayOverSockets, a_stream_passes_frame_by_frame_and_ends_when_the_client_goes) {
    Apart apart;
    {
        Raw raw(apart.port());
        const std::string head = raw.ask(get("/api/v1/time/stream"), "data: 1");
        EXPECT_NE(head.find("text/event-stream"), std::string::npos);
        for (const char* data : {"2", "3"}) { // each before the next is made
            apart.on_loop([&] { apart.service.frames->publish(event_frame("next", data)); });
            EXPECT_NE(raw.receive(std::string("data: ") + data).find(data), std::string::npos);
        }
        EXPECT_EQ(apart.on_loop([&] { return apart.service.frames->listeners(); }), 1u);
    }
    // With the next frame the gateway, and then the service, see that nobody reads any more.
    for (int i = 0; i < 6'000; ++i) { // a minute
        const std::size_t left = apart.on_loop([&] {
            apart.service.frames->publish(event_frame("next", "4"));
            return apart.service.frames->listeners();
        });
        if (left == 0) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "the stream goes on for nobody";
}

TEST(GatewayOverSockets, bodies_pass_in_both_directions) {
    Apart apart;
    Raw raw(apart.port());
    const std::string body(300'000, 'b');
    raw.send("POST /api/v1/time/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             "Content-Length: 300003\r\n\r\nabc");
    const std::string answer = raw.ask(body, "abc" + body);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
    EXPECT_NE(answer.find("Content-Length: 300003"), std::string::npos);
    EXPECT_NE(answer.find("X-Request-Id: "), std::string::npos);
}

TEST(GatewayOverSockets, a_service_that_is_not_there_is_a_problem) {
    Apart apart;
    Raw raw(apart.port());
    const std::string answer = raw.ask(get("/api/v1/events"), "UNAVAILABLE");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
    EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
}

TEST(GatewayOverSockets, the_deadline_goes_on_to_the_service_and_nobody_outside_sets_it) {
    Apart apart;
    Raw raw(apart.port());
    const std::string own = raw.ask("GET /api/v1/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                    "X-Urr-Timeout-Ms: 1\r\n\r\n",
                                    "<never>");
    EXPECT_TRUE(own.starts_with("HTTP/1.1 200")) << own;
    const int left = std::stoi(own.substr(own.find("\r\n\r\n") + 4));
    EXPECT_GT(left, 1); // of the gateway's ten seconds
    EXPECT_LE(left, 10'000);
}

} // namespace
} // namespace urr::gateway
