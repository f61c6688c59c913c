#include "libs/http/test_server.hpp"

namespace urr {
namespace {

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
    EXPECT_EQ(running.server->figures()->connections.value(), 1);
}

// The body moves to where the head stood in the buffer.
TEST(Client, tells_the_type_of_a_body_of_any_length) {
    Running running;
    with_client(running.port(), [](Transport& client) -> Task<> {
        for (const std::size_t length : {0, 60, 90, 500, 5'000, 500'000}) {
            const std::string body(length, 'b');
            const Response echoed =
                must(co_await client.send(Context{}, request_for(Method::post, "/echo", body)));
            EXPECT_EQ(echoed.content_type, type_json) << length;
            EXPECT_EQ(echoed.headers, "") << length;
        }
    });
}

// Where connections come about, and nobody answers: no machine is too slow for the deadline.
TEST(Client, a_deadline_ends_the_wait_for_an_answer) {
    const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&at), size), 0);
    ASSERT_EQ(::listen(silent, 8), 0);
    ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&at), &size), 0);
    with_client(ntohs(at.sin_port), [](Transport& client) -> Task<> {
        Context context;
        context.deadline = Loop::here().now() + milliseconds(50);
        const auto late = co_await client.send(context, request_for(Method::get, "/slow"));
        EXPECT_FALSE(late);
        EXPECT_GE(Loop::here().now(), context.deadline);
    });
    ::close(silent);
}

// Asks, and notes the body of what came or nothing when that was refused.
Task<> ask(Transport& client, std::string body, Instant deadline, std::vector<std::string>& came) {
    Context context;
    context.deadline = deadline;
    const auto answer = co_await client.send(context, request_for(Method::post, "/echo", body));
    came.push_back(answer ? answer->body : std::string(info(answer.error().code()).name));
}

TEST(Client, who_waits_for_a_connection_is_served_in_turn_and_who_left_is_passed_over) {
    Running running;
    ClientLimits limits;
    limits.connections_max = 1;
    limits.waiting_max = 4;
    static std::vector<std::string> came;
    came.clear();
    with_client(
        running.port(),
        [](Transport& client) -> Task<> {
            Nursery staying, leaving;
            staying.spawn(ask(client, "first", never, came));
            staying.spawn(ask(client, "second", never, came));
            leaving.spawn(ask(client, "gone", never, came));
            staying.spawn(ask(client, "third", never, came));
            staying.spawn(ask(client, "late", Instant{1}, came));
            staying.spawn(ask(client, "too many", never, came));
            leaving.clear();
            (co_await staying.drained(Context{})).value();
            staying.spawn(ask(client, "after all", never, came));
            (co_await staying.drained(Context{})).value();
        },
        limits);
    EXPECT_EQ(std::erase(came, "DEADLINE_EXCEEDED"), 1u); // when the clock says so
    const std::vector<std::string> wanted = {"OVERLOADED", "first", "second", "third", "after all"};
    EXPECT_EQ(came, wanted);
}

TEST(Client, a_connection_given_to_one_who_then_leaves_goes_to_the_next) {
    Running running;
    ClientLimits limits;
    limits.connections_max = 1;
    static std::vector<std::string> came;
    came.clear();
    with_client(
        running.port(),
        [](Transport& client) -> Task<> {
            Nursery holds, leaving, staying;
            holds.spawn(ask(client, "cut off", never, came));
            leaving.spawn(ask(client, "gone", never, came));
            staying.spawn(ask(client, "stays", never, came));
            holds.clear();   // its place is given to the second,
            leaving.clear(); // who goes before it was told
            (co_await staying.drained(Context{})).value();
        },
        limits);
    EXPECT_EQ(came, std::vector<std::string>{"stays"});
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

// A server that answers each connection by a script, and counts them.
class ScriptedServer {
public:
    // What each connection in turn does with the request it got: sends the text and closes; an
    // empty text closes at once.
    explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
        socklen_t size = sizeof at;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
        ::listen(listener_, 8);
        thread_ = std::thread([this] { serve(); });
    }
    ~ScriptedServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port() const { return port_; }
    int asked() const { return asked_; }

private:
    void serve() {
        for (const std::string& answer : answers_) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) return;
            char buffer[4096];
            if (::recv(fd, buffer, sizeof buffer, 0) > 0) ++asked_;
            ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(fd);
        }
    }
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::vector<std::string> answers_;
    std::atomic<int> asked_ = 0;
    std::thread thread_;
};

constexpr const char* fine = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: 2\r\n\r\n{}";

template <class Body>
void with_script(std::vector<std::string> answers, int asked, Body body) {
    ScriptedServer server(std::move(answers));
    with_client(server.port(), body);
    EXPECT_EQ(server.asked(), asked);
}

TEST(Client, a_read_whose_connection_breaks_is_asked_once_more) {
    with_script({"", fine}, 2, [](Transport& client) -> Task<> {
        const auto answer = co_await client.send(Context{}, request_for(Method::get, "/x"));
        EXPECT_EQ(must(answer ? Result<int>(answer->status) : Result<int>(0)), 200);
    });
}

TEST(Client, it_is_asked_once_more_and_not_again) {
    with_script({"", "", fine}, 2, [](Transport& client) -> Task<> {
        const auto answer = co_await client.send(Context{}, request_for(Method::get, "/x"));
        EXPECT_EQ(answer.error().code(), Code::UNAVAILABLE);
    });
}

TEST(Client, a_write_that_was_sent_is_repeated_only_under_an_idempotency_key) {
    with_script({"", fine}, 1, [](Transport& client) -> Task<> {
        const auto answer = co_await client.send(Context{}, request_for(Method::post, "/x", "{}"));
        EXPECT_EQ(answer.error().code(), Code::OUTCOME_UNKNOWN);
    });
    with_script({"", fine}, 2, [](Transport& client) -> Task<> {
        Request request = request_for(Method::post, "/x", "{}");
        request.add_header("Idempotency-Key", "k");
        const auto answer = co_await client.send(Context{}, request);
        EXPECT_TRUE(answer);
    });
}

TEST(Client, answers_that_could_be_read_in_two_ways_are_refused) {
    for (const char* bad :
         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
          "HTTP/1.1 abc OK\r\n\r\n", "nonsense\r\n\r\n",
          "HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n"}) {
        with_script({bad, bad}, 1, [bad](Transport& client) -> Task<> {
            const auto answer = co_await client.send(Context{}, request_for(Method::get, "/x"));
            EXPECT_FALSE(answer) << bad;
            if (!answer) EXPECT_EQ(answer.error().code(), Code::BAD_GATEWAY) << bad;
        });
    }
}

TEST(Client, interim_answers_are_passed_over) {
    with_script({std::string("HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n") + fine}, 1,
                [](Transport& client) -> Task<> {
                    const auto answer =
                        must(co_await client.send(Context{}, request_for(Method::get, "/x")));
                    EXPECT_EQ(answer.status, 200);
                    EXPECT_EQ(answer.header("X-A"), "");
                });
}

// What follows an answer that nobody asked for must not answer the next request.
TEST(Client, a_connection_with_bytes_left_over_is_not_used_again) {
    const std::string two = std::string(fine) + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";
    with_script({two, fine}, 2, [](Transport& client) -> Task<> {
        for (int i = 0; i < 2; ++i) {
            const auto answer =
                must(co_await client.send(Context{}, request_for(Method::get, "/x")));
            EXPECT_EQ(answer.body, "{}");
        }
    });
}

TEST(Client, tells_the_other_side_how_long_it_waits) {
    Running running;
    with_client(running.port(), [](Transport& client) -> Task<> {
        Context context;
        context.deadline = Loop::here().now() + seconds(8); // of the ten that a client waits
        const auto answer =
            must(co_await client.send(context, request_for(Method::get, "/headers")));
        const std::size_t at = answer.body.find("X-Urr-Timeout-Ms=");
        EXPECT_NE(at, std::string::npos);
        const int left = std::stoi(answer.body.substr(at + 17));
        EXPECT_GT(left, 0);
        EXPECT_LE(left, 8000);
    });
}

} // namespace
} // namespace urr
