// Bodies beyond the ordinary limit, and answers that nobody takes: what they may cost.
#include "libs/http/test_server.hpp"

#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace urr {
namespace {

constexpr std::size_t mib = 1024 * 1024;

// Of this process.
std::size_t allocated_bytes() {
#if __has_feature(address_sanitizer)
    return __sanitizer_get_current_allocated_bytes();
#else
    return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
#endif
}

// Takes uploads from who shows a pass, and gives out as much as it is asked for.
struct Uploads final : HttpHandler {
    std::size_t asked = 0;
    Result<> admit_large_body(const Request& request) override {
        ++asked;
        EXPECT_TRUE(request.body.empty());
        if (request.path != "/upload") return fail(Code::BODY_TOO_LARGE);
        if (request.header("Pass") != "yes") return fail(Code::UNAUTHENTICATED);
        return {};
    }
    Response refuse_large_body(const Request& request, const Context& context,
                               const Error& error) override {
        Response response = problem(error, context.trace);
        response.add("X-Pass-Seen", request.header("Pass"));
        return response;
    }
    Task<Response> handle(Context, Request request) override {
        if (request.path == "/large") co_return json_response(200, std::string(32 * mib, 'l'));
        co_return json_response(200, std::to_string(request.body.size()));
    }
};

struct LargeBodies : testing::Test {
    Uploads uploads;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<HttpServer> server;
    std::thread thread;

    void start(ServerLimits limits = {}) {
        server = must(listen_http(*loop, "127.0.0.1", 0, uploads, limits));
        thread = std::thread([this] { loop->run(); });
    }
    ~LargeBodies() override {
        loop->stop();
        thread.join();
        Loop::Enter in(loop.get());
        server.reset();
    }
    static std::string head(std::string_view path, std::size_t length, bool pass = true) {
        return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" +
               (pass ? "Pass: yes\r\n" : "") + "Content-Length: " + std::to_string(length) +
               "\r\n\r\n";
    }
};

TEST_F(LargeBodies, are_taken_where_the_handler_admits_them) {
    start();
    Raw raw(server->port());
    for (int i = 0; i < 2; ++i) { // on one connection, and an ordinary one between them
        raw.send(head("/upload", 5 * mib));
        EXPECT_NE(raw.ask(std::string(5 * mib, 'x'), "5242880").find("200 OK"), std::string::npos);
        EXPECT_NE(raw.ask(head("/other", 3, false) + "abc", "\r\n\r\n3").find("200 OK"),
                  std::string::npos);
    }
    EXPECT_EQ(uploads.asked, 2u); // once for each, however many pieces they came in
}

TEST_F(LargeBodies, may_take_longer_than_others) {
    ServerLimits limits;
    limits.request_timeout = seconds(1);
    start(limits);
    Raw raw(server->port());
    raw.send(head("/upload", 2 * mib) + std::string(mib, 'x'));
    EXPECT_EQ(raw.receive("\r\n\r\n", 3'000), ""); // looked at each second
    EXPECT_NE(raw.ask(std::string(mib, 'x'), "2097152").find("200 OK"), std::string::npos);
}

TEST_F(LargeBodies, are_refused_by_the_head_alone) {
    start();
    const auto answer_to = [&](const std::string& text) {
        Raw raw(server->port());
        return raw.ask(text, "\"code\"");
    };
    EXPECT_NE(answer_to(head("/other", 2 * mib)).find("BODY_TOO_LARGE"), std::string::npos);
    EXPECT_NE(answer_to(head("/upload", 2 * mib, false)).find("UNAUTHENTICATED"),
              std::string::npos);
    const std::string too_large = answer_to(head("/upload", 5 * mib + 1));
    EXPECT_NE(too_large.find("BODY_TOO_LARGE"), std::string::npos);
    EXPECT_NE(too_large.find("X-Pass-Seen: yes"), std::string::npos) << "the handler's answer";
    // Without a length nobody can say how much it will be.
    const std::string chunk = "100000\r\n" + std::string(mib, 'x') + "\r\n";
    EXPECT_NE(answer_to("PUT /upload HTTP/1.1\r\nHost: x\r\nPass: yes\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n" +
                        chunk + chunk)
                  .find("BODY_TOO_LARGE"),
              std::string::npos);
}

TEST_F(LargeBodies, are_asked_for_only_where_they_may_come) {
    start();
    const auto answer_to = [&](std::string text) {
        Raw raw(server->port());
        text.insert(text.size() - 2, "Expect: 100-continue\r\n");
        return raw.ask(text, "\r\n\r\n").substr(0, 12);
    };
    EXPECT_EQ(answer_to(head("/upload", 2 * mib)), "HTTP/1.1 100");
    EXPECT_EQ(answer_to(head("/upload", 2 * mib, false)), "HTTP/1.1 401");
    EXPECT_EQ(answer_to(head("/upload", 6 * mib)), "HTTP/1.1 413");
}

TEST_F(LargeBodies, are_in_memory_a_few_at_once) {
    ServerLimits limits;
    limits.large_bodies_max = 2;
    start(limits);
    auto first = std::make_unique<Raw>(server->port());
    Raw second(server->port()), third(server->port());
    first->send(head("/upload", 2 * mib) + "begun");
    second.send(head("/upload", 2 * mib) + "begun");
    std::string refused;
    for (int i = 0; i < 500 && refused.find("OVERLOADED") == std::string::npos; ++i) {
        Raw other(server->port()); // as soon as the two were seen
        refused = other.ask(head("/upload", 2 * mib), "\"code\"");
    }
    EXPECT_NE(refused.find("Retry-After: 1"), std::string::npos) << refused;
    first.reset(); // goes away in the middle: its place is another's
    std::string taken;
    for (int i = 0; i < 500 && taken.find("200 OK") == std::string::npos; ++i) {
        Raw other(server->port());
        other.send(head("/upload", 2 * mib));
        if (const std::string said = other.receive("\"code\"", 20); !said.empty()) continue;
        taken = other.ask(std::string(2 * mib, 'x'), "2097152");
    }
    EXPECT_NE(taken.find("200 OK"), std::string::npos) << taken;
}

// A client that takes what comes as slowly as it likes.
struct SlowReader {
    Raw raw;
    explicit SlowReader(std::uint16_t port) : raw(port) {
        const int small = 64 * 1024;
        ::setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        raw.send(get("/large"));
    }
    // How much came: `most`, or all there is.
    std::size_t take(std::size_t most) {
        static char buffer[mib];
        std::size_t taken = 0;
        while (taken < most) {
            const ssize_t n = ::recv(raw.fd, buffer, std::min(sizeof buffer, most - taken), 0);
            if (n <= 0) break;
            taken += std::size_t(n);
        }
        return taken;
    }
};

TEST_F(LargeBodies, answers_that_were_taken_slowly_leave_nothing_behind) {
    ServerLimits limits;
    limits.unsent_bytes_max = 1024 * mib;
    start(limits);
    const std::size_t before = allocated_bytes();
    std::vector<std::unique_ptr<SlowReader>> readers; // they stay
    for (int i = 0; i < 8; ++i) readers.push_back(std::make_unique<SlowReader>(server->port()));
    for (const auto& reader : readers) EXPECT_EQ(reader->take(32 * mib), 32 * mib);
    std::size_t kept = 0;
    for (int i = 0; i < 1'000; ++i) { // the last bytes are on their way
        kept = allocated_bytes() - std::min(before, allocated_bytes());
        if (kept < 100 * mib) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_LT(kept, 100 * mib); // not eight times 32: the loop's own buffer
}

TEST_F(LargeBodies, answers_have_as_long_as_they_go_on) {
    ServerLimits limits;
    limits.write_timeout = seconds(2);
    start(limits);
    SlowReader silent(server->port()), slow(server->port());
    for (int i = 0; i < 16; ++i) { // four seconds and more
        EXPECT_EQ(slow.take(2 * mib), 2 * mib);
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    EXPECT_LT(silent.take(33 * mib), 32 * mib) << "he was not waited for";
}

// One does not read: what waits for him counts, until he has gone.
TEST_F(LargeBodies, answers_that_nobody_takes_are_bounded) {
    ServerLimits limits;
    limits.unsent_bytes_max = 33 * mib; // the system's buffers take some of it
    start(limits);
    const auto answer = [&](std::string_view path) { // its beginning
        Raw other(server->port());
        return other.ask(get(path), "\r\n\r\n").substr(0, 12);
    };
    auto silent = std::make_unique<Raw>(server->port());
    const int small = 4096;
    ::setsockopt(silent->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    silent->send(get("/large"));
    std::string last;
    for (int i = 0; i < 500 && last != "HTTP/1.1 503"; ++i) last = answer("/large");
    EXPECT_EQ(last, "HTTP/1.1 503");
    EXPECT_EQ(answer("/small"), "HTTP/1.1 200");
    silent.reset();
    for (int i = 0; i < 500 && last != "HTTP/1.1 200"; ++i) last = answer("/large");
    EXPECT_EQ(last, "HTTP/1.1 200");
}

} // namespace
} // namespace urr
