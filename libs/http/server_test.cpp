#include "libs/http/test_server.hpp"

namespace urr {
namespace {

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

TEST(Server, a_stream_gives_frames_and_ends_with_its_source) {
    struct Post : Node {
        Echo* echo = nullptr;
        using Node::Node;
    };
    // Posted to the server's thread, so they outlive it.
    Post publish([](Node& node) {
        static_cast<Post&>(node).echo->ticks->publish(event_frame("tick", "2"));
    });
    Post end([](Node& node) { static_cast<Post&>(node).echo->ticks->close(); });
    Running running;
    publish.echo = end.echo = &running.echo;
    Raw raw(running.port());
    EXPECT_NE(raw.ask(get("/stream"), "data: 1").find("text/event-stream"), std::string::npos);
    running.loop->post(publish);
    EXPECT_NE(raw.receive("data: 2").find("event: tick"), std::string::npos);
    running.loop->post(end);
    EXPECT_TRUE(raw.receive("<never>").ends_with("<closed>"));
}

// Until the value is there; false after a minute.
bool becomes(const LoopFigure& figure, std::int64_t value) {
    for (int i = 0; i < 6'000 && figure.value() != value; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return figure.value() == value;
}

TEST(Server, a_stream_whose_client_has_gone_ends_though_its_source_is_silent) {
    ServerLimits limits;
    limits.streams_max = 1;
    Running running(limits);
    const auto figures = running.server->figures();
    for (int i = 0; i < 3; ++i) {
        Raw raw(running.port());
        EXPECT_NE(raw.ask(get("/stream"), "data: 1").find("200 OK"), std::string::npos);
        EXPECT_EQ(figures->streams_open.value(), 1);
        Raw second(running.port());
        EXPECT_NE(second.ask(get("/stream"), "STREAMS_FULL").find("503"), std::string::npos);
        ::shutdown(raw.fd, SHUT_RDWR);
        EXPECT_TRUE(becomes(figures->streams_open, 0));
    }
    EXPECT_EQ(figures->streams.value(), 3);
}

TEST(Server, figures_are_read_from_any_thread_and_outlive_it) {
    std::shared_ptr<const ServerFigures> figures;
    {
        ServerLimits limits;
        limits.connections_max = 1;
        Running running(limits);
        figures = running.server->figures();
        {
            Raw raw(running.port());
            raw.ask(get("/hot") + get("/items/a"), "a");
            EXPECT_EQ(figures->connections_open.value(), 1);
            EXPECT_EQ(figures->requests.value(), 2);
            EXPECT_EQ(Raw(running.port()).receive("<never>"), "<closed>");
            EXPECT_EQ(figures->refused.value(), 1);
            EXPECT_NE(raw.ask("GET\r\n\r\n", "\r\n\r\n").find("400"), std::string::npos);
            EXPECT_EQ(figures->bad.value(), 1);
        }
        EXPECT_TRUE(becomes(figures->connections_open, 0));
    }
    EXPECT_EQ(figures->connections.value(), 1);
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
