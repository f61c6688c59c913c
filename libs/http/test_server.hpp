// For the tests of libs/http: a server that echoes, on a thread of its own, and a client that sends
// bytes as they are.
//
//     Running running;
//     Raw raw(running.port());
//     EXPECT_NE(raw.ask(get("/items/a"), "a").find("200"), std::string::npos);
#pragma once
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
        router.add<&Echo::headers>(Method::get, "/headers", *this);
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
    // The request's headers, one a line.
    Task<Result<Response>> headers(Context, Request request) {
        std::string text;
        for (const Header& header : request.headers())
            text.append(header.name).append("=").append(header.value).append("\n");
        co_return json_response(200, std::move(text));
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
    // Until `until` has come, the connection ended or nothing came for `ms`: half a minute is more
    // than a busy machine needs.
    std::string receive(std::string_view until, int ms = 30'000) {
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

inline constexpr std::string_view host = "Host: x\r\n";

inline std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(host) + "\r\n";
}

} // namespace urr
