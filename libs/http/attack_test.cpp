// What clients send that is no HTTP, or HTTP that two readers could take for two things.
#include <sys/resource.h>
#include <sys/wait.h>

#include "libs/http/test_server.hpp"

namespace urr {
namespace {

std::string many_headers() {
    std::string lines;
    for (int i = 0; i < 70; ++i) lines += "X-" + std::to_string(i) + ": 1\r\n";
    return lines;
}

struct Attack {
    const char* name;
    std::string bytes;
    const char* expected;
};

const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";

void expect_refused(const std::vector<Attack>& attacks) {
    Running running;
    for (const Attack& attack : attacks) {
        Raw raw(running.port());
        const std::string answer = raw.ask(attack.bytes, "<never>");
        EXPECT_TRUE(answer.starts_with(std::string("HTTP/1.1 ") + attack.expected))
            << attack.name << ": " << answer;
        EXPECT_TRUE(answer.ends_with("<closed>")) << attack.name;
    }
}

TEST(Attacks, bodies_of_two_lengths_or_none_are_refused_and_the_connection_ends) {
    expect_refused({
        {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
        {"same length twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400"},
        {"length and chunks",
         post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"length in a list", post + "Content-Length: 1, 1\r\n\r\na", "400"},
        {"length in hex", post + "Content-Length: 0x1\r\n\r\na", "400"},
        {"empty length", post + "Content-Length:\r\n\r\n", "400"},
        {"huge length", post + "Content-Length: 99999999999999999999\r\n\r\n", "400"},
        {"chunks and length",
         post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400"},
        {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400"},
        {"two Transfer-Encoding",
         post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"identity", post + "Transfer-Encoding: identity\r\n\r\n", "400"},
        {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", "400"},
        {"chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"negative chunk", post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "400"},
        {"long chunk size", post + "Transfer-Encoding: chunked\r\n\r\n00000000000000001\r\n",
         "400"},
        {"long chunk extension",
         post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x') + "\r\na\r\n",
         "400"},
        {"chunk ended by LF", post + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", "400"},
        {"chunk longer than said", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "400"},
        {"trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-User-Id: 1\r\n\r\n", "400"},
        {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", "400"},
        {"negative length", post + "Content-Length: -1\r\n\r\n", "400"},
        {"plus length", post + "Content-Length: +1\r\n\r\na", "400"},
        {"bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"},
        {"body too large", post + "Content-Length: 2000000\r\n\r\n", "413"},
        {"chunks too large", post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", "413"},
    });
}

TEST(Attacks, heads_that_are_not_of_one_meaning_are_refused) {
    expect_refused({
        {"space in a name", post + "X A: 1\r\n\r\n", "400"},
        {"tab before colon", post + "X-A\t: 1\r\n\r\n", "400"},
        {"no name", post + ": 1\r\n\r\n", "400"},
        {"no colon", post + "X-A\r\n\r\n", "400"},
        {"bare CR in a value", post + "X-A: 1\rX-B: 2\r\n\r\n", "400"},
        {"bare LF in a head", post + "X-A: 1\nX-B: 2\r\n\r\n", "400"},
        {"folded by a tab", post + "X-A: 1\r\n\t2\r\n\r\n", "400"},
        {"space first", " GET /hot HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"three spaces", "GET  /hot HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"no version", "GET /hot\r\nHost: x\r\n\r\n", "400"},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
        {"lower-case version", "GET /hot http/1.1\r\nHost: x\r\n\r\n", "400"},
        {"odd method", "G@T /hot HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"unknown expectation", post + "Expect: tea\r\nContent-Length: 1\r\n\r\na", "400"},
        {"too many headers", post + many_headers() + "\r\n", "431"},
        {"obs-fold", post + "X-A: 1\r\n 2\r\n\r\n", "400"},
        {"bare LF", "GET /hot HTTP/1.1\nHost: x\n\r\n\r\n", "400"},
        {"space before colon", post + "Content-Length : 1\r\n\r\na", "400"},
        {"NUL in a value", post + std::string("X-A: a\0b\r\n\r\n", 12), "400"},
        {"no host", "GET /hot HTTP/1.1\r\n\r\n", "400"},
        {"two hosts", "GET /hot HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"header too large", "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'), "431"},
    });
}

TEST(Attacks, paths_that_are_not_of_one_meaning_are_refused) {
    expect_refused({
        {"target too long", get("/" + std::string(5000, 'a')), "414"},
        {"encoded slash", get("/items/a%2Fb"), "400"},
        {"encoded backslash", get("/items/a%5cb"), "400"},
        {"backslash", get("/items/a\\b"), "400"},
        {"encoded percent", get("/items/%252e"), "400"},
        {"broken escape", get("/items/%2"), "400"},
        {"encoded newline", get("/items/a%0d%0aX-A:%20b"), "400"},
        {"encoded DEL", get("/items/%7f"), "400"},
        {"dot", get("/./echo"), "400"},
        {"slash at the end", get("/echo/"), "400"},
        {"space in the target", get("/a b"), "400"},
        {"surrogate in UTF-8", get("/items/%ed%a0%80"), "400"},
        {"encoded dots", get("/items/%2e%2e"), "400"},
        {"dot segments", get("/items/../echo"), "400"},
        {"double slash", get("//echo"), "400"},
        {"encoded NUL", get("/items/%00"), "400"},
        {"bad UTF-8", get("/items/%c0%af"), "400"},
        {"absolute target", get("http://x/echo"), "400"},
    });
}

// What stands behind a refused message is never taken for a request.
TEST(Attacks, nothing_is_smuggled_behind_a_refused_message) {
    Running running;
    const std::string hidden = get("/items/smuggled");
    const std::string length = std::to_string(hidden.size());
    const std::string messages[] = {
        post + "Content-Length: 0\r\nContent-Length: " + length + "\r\n\r\n" + hidden,
        post + "Content-Length: " + length + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
            hidden,
        post + "Transfer-Encoding: chunked\r\nContent-Length: " + length + "\r\n\r\n0\r\n\r\n" +
            hidden,
        post + "Transfer-Encoding: xchunked\r\n\r\n" + hidden,
        post + "Content-Length : " + length + "\r\n\r\n" + hidden,
        post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden,
        post + "X-A: 1\nContent-Length: " + length + "\r\n\r\n" + hidden,
    };
    for (const std::string& message : messages) {
        Raw raw(running.port());
        const std::string answer = raw.ask(message, "<never>");
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << message << answer;
        EXPECT_EQ(answer.find("smuggled"), std::string::npos) << message;
        EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << message;
    }
}

TEST(Attacks, a_body_that_looks_like_a_request_is_a_body) {
    Running running;
    Raw raw(running.port());
    const std::string inner = get("/items/inner");
    const std::string answer = raw.ask(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(inner.size()) +
            "\r\n\r\n" + inner + get("/items/second"),
        "second");
    EXPECT_NE(answer.find("GET /items/inner"), std::string::npos); // echoed, not obeyed
    std::size_t answers = 0;
    for (std::size_t at = 0; (at = answer.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
        ++answers;
    EXPECT_EQ(answers, 2u);
}

TEST(Attacks, what_came_before_a_broken_message_is_answered_first) {
    Running running;
    Raw raw(running.port());
    const std::string answer = raw.ask(
        get("/items/one") + get("/hot") + "BROKEN\r\n\r\n" + get("/items/three"), "<never>");
    EXPECT_LT(answer.find("one"), answer.find("hot"));
    EXPECT_LT(answer.find("hot"), answer.find("400 Bad Request"));
    EXPECT_EQ(answer.find("three"), std::string::npos);
}

TEST(Attacks, headers_for_one_hop_go_no_further) {
    Running running;
    Raw raw(running.port());
    const std::string answer =
        raw.ask("GET /headers HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Secret, x-second\r\n"
                "X-Secret: 1\r\nX-Second: 2\r\nX-Third: 3\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
                "Upgrade: h2c\r\nProxy-Authorization: x\r\nTrailer: X\r\n\r\n",
                "X-Third=3\n");
    EXPECT_NE(answer.find("X-Third=3"), std::string::npos);
    for (const char* gone :
         {"X-Secret=", "X-Second=", "Keep-Alive=", "TE=", "Upgrade=", "Proxy-", "Trailer="})
        EXPECT_EQ(answer.find(gone), std::string::npos) << gone;
}

TEST(Attacks, slow_and_silent_clients_are_closed) {
    ServerLimits limits;
    limits.request_timeout = limits.idle_timeout = seconds(1); // looked at once a second
    Running running(limits);
    Raw silent(running.port()), slow(running.port());
    slow.send("GET /hot HT");
    EXPECT_TRUE(slow.receive("<never>").starts_with("HTTP/1.1 408"));
    EXPECT_EQ(silent.receive("<never>"), "<closed>");
}

TEST(Attacks, a_body_or_a_head_that_drips_is_cut_off) {
    ServerLimits limits;
    limits.request_timeout = milliseconds(500);
    Running running(limits);
    Raw body(running.port()), head(running.port());
    body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    head.send("GET /hot HTTP/1.1\r\n");
    // A byte now and then must not prolong it. Who was cut off cannot send any more: he reads.
    std::string from_body, from_head;
    for (int i = 0; i < 600 && (from_body.empty() || from_head.empty()); ++i)
        for (auto [raw, answer] : {std::pair(&body, &from_body), std::pair(&head, &from_head)}) {
            if (!answer->empty()) continue;
            (void)::send(raw->fd, "x", 1, MSG_NOSIGNAL);
            *answer = raw->receive("<never>", 50);
        }
    EXPECT_TRUE(from_body.starts_with("HTTP/1.1 408")) << from_body;
    EXPECT_TRUE(from_head.starts_with("HTTP/1.1 408")) << from_head;
}

// A process of its own that opens connections and says nothing: one process's limit of open files
// does not hold both ends.
class SilentCrowd {
public:
    // Before any thread is started.
    explicit SilentCrowd(std::size_t people) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, talk_), 0);
        child_ = ::fork();
        if (child_ == 0) ::_exit(connect_all(people));
        ::close(talk_[1]);
    }
    ~SilentCrowd() {
        ::close(talk_[0]); // they go
        int status = 0;
        ::waitpid(child_, &status, 0);
    }
    // How many got a connection.
    std::size_t come(std::uint16_t port) {
        std::size_t connected = 0;
        EXPECT_EQ(::write(talk_[0], &port, sizeof port), ssize_t(sizeof port));
        EXPECT_EQ(::read(talk_[0], &connected, sizeof connected), ssize_t(sizeof connected));
        return connected;
    }

private:
    int connect_all(std::size_t people) {
        ::close(talk_[0]);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::uint16_t port = 0;
        if (::read(talk_[1], &port, sizeof port) != ssize_t(sizeof port)) return 1;
        to.sin_port = htons(port);
        std::size_t connected = 0;
        while (connected < people) {
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) break;
            ++connected;
        }
        if (::write(talk_[1], &connected, sizeof connected) < 0) return 1;
        return int(::read(talk_[1], &port, sizeof port)); // until the test ends
    }
    int talk_[2] = {-1, -1};
    pid_t child_ = -1;
};

// Ten thousand who say nothing keep nobody out.
TEST(Attacks, ten_thousand_idle_connections_leave_room_for_the_next) {
    constexpr std::size_t idle = 10'000;
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    constexpr rlim_t wanted = idle + 500;
    if (files.rlim_max < wanted)
        GTEST_SKIP() << "SKIPPED: at most " << files.rlim_max << " open files here, " << wanted
                     << " are needed";
    files.rlim_cur = std::max(files.rlim_cur, wanted);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    SilentCrowd crowd(idle);
    ServerLimits limits;
    limits.request_timeout = limits.idle_timeout = minutes(5); // however long they take to come
    Running running(limits);
    Raw before(running.port());
    ASSERT_EQ(crowd.come(running.port()), idle);
    Raw raw(running.port());
    EXPECT_NE(raw.ask(get("/items/next"), "next").find("200 OK"), std::string::npos);
    EXPECT_NE(before.ask(get("/items/first"), "first").find("200 OK"), std::string::npos);
    EXPECT_EQ(running.server->figures()->connections.value(), std::int64_t(idle + 2));
    EXPECT_EQ(running.server->figures()->refused.value(), 0);
}

// Those who wait to be accepted must not keep the loop busy, nor be forgotten.
TEST(Attacks, a_server_without_files_left_serves_on_and_accepts_again) {
    constexpr std::size_t idle = 100;
    SilentCrowd crowd(idle);
    Running running;
    Raw first(running.port());
    EXPECT_NE(first.ask(get("/items/a"), "a").find("200 OK"), std::string::npos);
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    const int next_file = ::dup(STDERR_FILENO);
    ::close(next_file);
    const rlimit few{rlim_t(next_file) + 20, files.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    ASSERT_EQ(crowd.come(running.port()), idle); // into the kernel's queue
    const Instant began = running.loop->now();
    for (int i = 0; i < 200; ++i)
        ASSERT_NE(first.ask(get("/items/b"), "b").find("200 OK"), std::string::npos);
    const std::int64_t tries = running.server->figures()->refused.value();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    Raw next(running.port());
    EXPECT_NE(next.ask(get("/items/c"), "c").find("200 OK"), std::string::npos);
    EXPECT_GT(tries, 0);
    EXPECT_LT(tries, (running.loop->now() - began).us / 1'000'000 + 20); // one a second
}

TEST(Attacks, more_connections_than_the_limit_are_closed_at_once) {
    ServerLimits limits;
    limits.connections_max = 5;
    Running running(limits);
    std::vector<std::unique_ptr<Raw>> open;
    for (int i = 0; i < 5; ++i) {
        open.push_back(std::make_unique<Raw>(running.port()));
        EXPECT_NE(open.back()->ask(get("/hot"), "hot").find("hot"), std::string::npos);
    }
    Raw sixth(running.port());
    EXPECT_EQ(sixth.receive("<never>"), "<closed>");
    EXPECT_NE(open.front()->ask(get("/hot"), "hot").find("hot"), std::string::npos);
}

} // namespace
} // namespace urr
