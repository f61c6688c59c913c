#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/http/client.hpp"
#include "libs/http/router.hpp"
#include "libs/http/sse.hpp"

namespace urr {
namespace {

// Answers with what it was asked; counts nothing, keeps nothing.
struct Echo final : HttpHandler {
    Router router;
    std::unique_ptr<Broadcast> ticks = std::make_unique<Broadcast>();

    Echo() {
        router.add<&Echo::echo>(Method::post, "/echo", *this);
        router.add<&Echo::item>(Method::get, "/items/{name}", *this);
        router.add<&Echo::special>(Method::get, "/items/special", *this);
        router.add<&Echo::slow>(Method::get, "/slow", *this);
        router.add<&Echo::stream>(Method::get, "/stream", *this);
    }
    bool answer_at_once(const Request& request, std::string& out) override {
        if (request.path != "/hot") return false;
        out += "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhot";
        return true;
    }
    Task<Response> handle(Context context, Request request) override {
        return router.handle(context, request);
    }
    Task<Result<Response>> echo(Context, Request request) {
        co_return json_response(200, std::string(request.body));
    }
    Task<Result<Response>> item(Context, Request request) {
        co_return json_response(200, std::string(request.parameters[0]));
    }
    Task<Result<Response>> special(Context, Request) { co_return json_response(200, "special!"); }
    Task<Result<Response>> slow(Context context, Request) {
        TRY(co_await sleep(context, milliseconds(80)));
        co_return json_response(200, "slow");
    }
    Task<Result<Response>> stream(Context, Request) {
        Response response;
        response.content_type = type_events;
        response.stream = ticks->subscribe(event_frame("first", "1"));
        co_return response;
    }
};

// A server on a free port, on a thread of its own.
struct Running {
    Echo echo;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<HttpServer> server;
    std::thread thread;

    explicit Running(ServerLimits limits = {}) {
        server = must(listen_http(*loop, "127.0.0.1", 0, echo, limits));
        thread = std::thread([this] { loop->run(); });
    }
    ~Running() {
        loop->stop();
        thread.join();
        Loop::Enter in(loop.get());
        server.reset();
    }
    std::uint16_t port() const { return server->port(); }
};

// A client that sends bytes as they are and reads until the other side closes or stays silent.
struct Raw {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);

    explicit Raw(std::uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    }
    ~Raw() { ::close(fd); }
    void send(std::string_view bytes) {
        EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
    }
    // Until `until` has come, the connection ended or nothing came for `ms`.
    std::string receive(std::string_view until, int ms = 2000) {
        std::string text;
        char buffer[4096];
        pollfd ready{fd, POLLIN, 0};
        while (::poll(&ready, 1, ms) == 1) {
            const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
            if (n <= 0) return text + "<closed>";
            text.append(buffer, std::size_t(n));
            if (!until.empty() && text.find(until) != std::string::npos) return text;
        }
        return text;
    }
    std::string ask(std::string_view bytes, std::string_view until) {
        send(bytes);
        return receive(until);
    }
};

constexpr std::string_view host = "Host: x\r\n";

std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(host) + "\r\n";
}

TEST(Server, answers_by_route_and_says_what_is_wrong) {
    Running running;
    Raw raw(running.port());
    EXPECT_NE(raw.ask(get("/items/a%20b"), "a b").find("200 OK"), std::string::npos);
    EXPECT_NE(raw.ask(get("/items/special"), "special!").find("200"), std::string::npos);
    EXPECT_NE(raw.ask(get("/nowhere"), "NOT_FOUND").find("404"), std::string::npos);
    const std::string wrong = raw.ask("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n", "METHOD_NOT");
    EXPECT_NE(wrong.find("405"), std::string::npos);
    EXPECT_NE(wrong.find("Allow: POST"), std::string::npos);
    const std::string head = raw.ask("HEAD /items/abc HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: 3"), std::string::npos);
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST(Server, pipelined_requests_are_answered_in_order) {
    Running running;
    Raw raw(running.port());
    std::string all;
    for (int i = 0; i < 5; ++i)
        all += get("/hot") + get("/slow") + get("/items/n" + std::to_string(i));
    const std::string text = raw.ask(all, "n4");
    std::size_t at = 0;
    for (int i = 0; i < 5; ++i) {
        at = text.find("hot", at);
        ASSERT_NE(at, std::string::npos);
        at = text.find("slow", at);
        ASSERT_NE(at, std::string::npos);
        at = text.find("n" + std::to_string(i), at);
        ASSERT_NE(at, std::string::npos);
    }
}

TEST(Server, bodies_come_by_length_or_in_chunks_and_in_pieces) {
    Running running;
    Raw raw(running.port());
    const std::string big(20'000, 'b');
    raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20003\r\n\r\nabc");
    EXPECT_NE(raw.ask(big, big).find("Content-Length: 20003"), std::string::npos);
    const std::string chunked =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n";
    for (const char c : chunked) raw.send(std::string_view(&c, 1));
    EXPECT_NE(raw.receive("hello world").find("hello world"), std::string::npos);
    raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_NE(raw.receive("\r\n\r\n").find("100 Continue"), std::string::npos);
    EXPECT_NE(raw.ask("ok", "ok").find("200 OK"), std::string::npos);
}

struct Attack {
    const char* name;
    std::string bytes;
    const char* expected;
};

TEST(Server, ambiguous_and_oversized_messages_are_refused_and_the_connection_ends) {
    Running running;
    const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
    const Attack attacks[] = {
        {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
        {"same length twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400"},
        {"length and chunks",
         post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", "400"},
        {"obs-fold", post + "X-A: 1\r\n 2\r\n\r\n", "400"},
        {"bare LF", "GET /hot HTTP/1.1\nHost: x\n\r\n\r\n", "400"},
        {"space before colon", post + "Content-Length : 1\r\n\r\na", "400"},
        {"NUL in a value", post + std::string("X-A: a\0b\r\n\r\n", 12), "400"},
        {"no host", "GET /hot HTTP/1.1\r\n\r\n", "400"},
        {"two hosts", "GET /hot HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"negative length", post + "Content-Length: -1\r\n\r\n", "400"},
        {"plus length", post + "Content-Length: +1\r\n\r\na", "400"},
        {"bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"},
        {"body too large", post + "Content-Length: 2000000\r\n\r\n", "413"},
        {"chunks too large", post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", "413"},
        {"header too large", "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'), "431"},
        {"target too long", get("/" + std::string(5000, 'a')), "414"},
        {"encoded slash", get("/items/a%2Fb"), "400"},
        {"encoded dots", get("/items/%2e%2e"), "400"},
        {"dot segments", get("/items/../echo"), "400"},
        {"double slash", get("//echo"), "400"},
        {"encoded NUL", get("/items/%00"), "400"},
        {"bad UTF-8", get("/items/%c0%af"), "400"},
        {"absolute target", get("http://x/echo"), "400"},
    };
    for (const Attack& attack : attacks) {
        Raw raw(running.port());
        const std::string answer = raw.ask(attack.bytes, "<never>");
        EXPECT_TRUE(answer.starts_with(std::string("HTTP/1.1 ") + attack.expected))
            << attack.name << ": " << answer;
        EXPECT_TRUE(answer.ends_with("<closed>")) << attack.name;
    }
}

TEST(Server, slow_and_silent_clients_are_closed) {
    ServerLimits limits;
    limits.request_timeout = limits.idle_timeout = milliseconds(300);
    Running running(limits);
    Raw slow(running.port()), silent(running.port());
    slow.send("GET /hot HT");
    EXPECT_TRUE(slow.receive("<never>", 4000).starts_with("HTTP/1.1 408"));
    EXPECT_EQ(silent.receive("<never>", 4000), "<closed>");
}

TEST(Server, a_stream_gives_frames_and_ends_with_its_source) {
    Running running;
    Raw raw(running.port());
    EXPECT_NE(raw.ask(get("/stream"), "data: 1").find("text/event-stream"), std::string::npos);
    struct Post : Node {
        Echo* echo;
        explicit Post(Echo* e, void (*f)(Node&)) : Node(f), echo(e) {}
    };
    Post publish(&running.echo, [](Node& node) {
        static_cast<Post&>(node).echo->ticks->publish(event_frame("tick", "2"));
    });
    running.loop->post(publish);
    EXPECT_NE(raw.receive("data: 2").find("event: tick"), std::string::npos);
    Post end(&running.echo, [](Node& node) { static_cast<Post&>(node).echo->ticks->close(); });
    running.loop->post(end);
    EXPECT_TRUE(raw.receive("<never>").ends_with("<closed>"));
}

TEST(Server, a_port_in_use_by_another_kind_of_listener_is_said_clearly) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    socklen_t size = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    ::listen(fd, 1);
    auto loop = make_asio_loop();
    Echo echo;
    const auto server = listen_http(*loop, "127.0.0.1", ntohs(at.sin_port), echo, {});
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().text().find("in use"), std::string_view::npos);
    ::close(fd);
}

// Runs a client coroutine on a loop of its own against a server.
template <class Body>
void with_client(std::uint16_t port, Body body, ClientLimits limits = {}) {
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    auto client = connect_http(*loop, "127.0.0.1", port, limits);
    static constexpr auto run = [](Task<> task, RunLoop& until) -> Task<> {
        co_await std::move(task);
        until.stop();
    };
    Nursery nursery;
    nursery.spawn(run(body(*client), *loop));
    loop->run();
}

Request request_for(Method method, std::string_view target, std::string_view body = {}) {
    Request request;
    request.method = method;
    request.target = request.path = target;
    request.body = body;
    return request;
}

TEST(Client, keeps_its_connections_and_passes_bodies) {
    Running running;
    with_client(running.port(), [](Transport& client) -> Task<> {
        for (int i = 0; i < 20; ++i) {
            const Response echoed =
                must(co_await client.send(Context{}, request_for(Method::post, "/echo", "hello")));
            EXPECT_EQ(echoed.body, "hello");
            EXPECT_EQ(echoed.content_type, type_json);
        }
    });
    EXPECT_EQ(running.server->counters().connections, 1u);
}

TEST(Client, a_deadline_ends_a_slow_answer) {
    Running running;
    with_client(running.port(), [](Transport& client) -> Task<> {
        Context context;
        context.deadline = Loop::here().now() + milliseconds(1);
        const auto late = co_await client.send(context, request_for(Method::get, "/slow"));
        EXPECT_FALSE(late);
    });
}

TEST(Client, nobody_there_is_unavailable) {
    with_client(1, [](Transport& client) -> Task<> {
        const auto answer = co_await client.send(Context{}, request_for(Method::get, "/x"));
        EXPECT_EQ(answer.error().code(), Code::UNAVAILABLE);
    });
}

TEST(Client, a_stream_passes_through) {
    Running running;
    with_client(running.port(), [](Transport& client) -> Task<> {
        Response response =
            must(co_await client.send(Context{}, request_for(Method::get, "/stream")));
        EXPECT_TRUE(response.stream);
        std::string all;
        while (all.find("data: 1") == std::string::npos)
            all += *must(co_await response.stream->next(Context{}));
    });
}

TEST(HttpServer, a_client_that_is_still_sending_gets_its_refusal) {
    Running running;
    Raw raw(running.port());
    const std::string body(2 * 1024 * 1024, 'x');
    raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\n\r\n");
    raw.send(body); // more than the system's buffers hold: it must be read, or we are cut off
    const std::string answer = raw.receive("BODY_TOO_LARGE");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

} // namespace
} // namespace urr
