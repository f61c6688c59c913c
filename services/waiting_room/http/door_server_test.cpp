// The door behind the real server and the real store: what goes over the wire.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::waiting_room {
namespace {

namespace fs = std::filesystem;

struct Wire : testing::Test {
    fs::path file = fs::temp_directory_path() / ("urr_door_" + std::to_string(::getpid()) + ".db");
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<Component> rooms;
    std::unique_ptr<HttpServer> server;
    EventId event = EventId::make(clock.now(), random);
    std::atomic<bool> ready{false};
    std::thread thread;

    Wire() {
        SqliteOptions options;
        options.path = file.string();
        options.clock = &clock;
        database = must(open_sqlite(options));
        must(migrate(*database, migrations()));
        Options settings;
        settings.token_key = SigningKey::from_seed(TokenType::vwr, "vwr-1", {});
        settings.callers.emplace("queue", HmacKey("queue-to-vwr"));
        rooms = std::make_unique<Component>(*database, std::vector<Loop*>{loop.get()}, clock,
                                            random, settings);
        server = must(listen_http(*loop, "127.0.0.1", 0, rooms->door(0), ServerLimits{}));
        thread = std::thread([this] {
            Loop::Enter in(loop.get());
            Nursery nursery;
            nursery.spawn(begin(*this, nursery));
            loop->run();
            nursery.clear();
            server.reset();
        });
        while (!ready) std::this_thread::yield();
    }
    ~Wire() override {
        loop->stop();
        thread.join();
        rooms.reset();
        database.reset();
        for (const char* end : {"", "-wal", "-shm"}) fs::remove(file.string() + end);
    }
    static Task<> begin(Wire& wire, Nursery& nursery) {
        must(co_await wire.rooms->open(Context{}));
        wire.rooms->start_jobs(nursery);
        wire.ready = true;
    }

    // Sends everything at once and reads until `answers` bodies have come.
    std::vector<std::string> exchange(const std::string& text, std::size_t answers) {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(server->port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        timeval patience{60, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
        EXPECT_EQ(::send(socket, text.data(), text.size(), 0), ssize_t(text.size()));
        std::string in;
        std::vector<std::string> out;
        char buffer[4096];
        while (out.size() < answers) {
            const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
            if (n <= 0) break;
            in.append(buffer, std::size_t(n));
            for (;;) {
                const std::size_t head = in.find("\r\n\r\n");
                const std::size_t length = in.find("Content-Length: ");
                if (head == std::string::npos || length > head) break;
                const std::size_t end = head + 4 + std::stoul(in.substr(length + 16));
                if (in.size() < end) break;
                out.push_back(in.substr(0, end));
                in.erase(0, end);
            }
        }
        ::close(socket);
        EXPECT_EQ(out.size(), answers);
        out.resize(answers);
        return out;
    }
    static std::string body(const std::string& answer) {
        return answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4));
    }
    std::string open_room() {
        const std::string json =
            R"({"epoch":1,"sequence":1,"state":"open","rate":60,"soldOut":false})";
        const std::string path = "/vwr/rooms/" + event.text();
        Request request;
        request.method = Method::put;
        request.path = path;
        const CallerKey queue{"queue", HmacKey("queue-to-vwr")};
        const CallerHeaders headers(queue, "vwr", {}, request, clock.now());
        headers.attach(request);
        std::string text = "PUT " + path +
                           " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json" +
                           "\r\nContent-Length: " + std::to_string(json.size()) + "\r\n";
        for (const Header& each : request.headers())
            text.append(each.name).append(": ").append(each.value).append("\r\n");
        return exchange(text + "\r\n" + json, 1)[0];
    }
};

TEST_F(Wire, carries_pipelined_requests_of_both_paths_in_order) {
    EXPECT_TRUE(open_room().starts_with("HTTP/1.1 200"));
    const std::string assign =
        "POST /vwr/assign/" + event.text() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    const std::string status = "GET /vwr/status/" + event.text() + " HTTP/1.1\r\nHost: x\r\n\r\n";
    std::string many = status;
    for (int i = 0; i < 50; ++i) many += assign;
    const auto answers = exchange(many + status, 52);
    EXPECT_TRUE(answers[0].starts_with("HTTP/1.1 200"));
    for (int i = 1; i <= 50; ++i) {
        EXPECT_TRUE(answers[std::size_t(i)].starts_with("HTTP/1.1 201"));
        const JsonValue place = must(parse_json(body(answers[std::size_t(i)])));
        EXPECT_EQ(place.integer_of("position"), i);
    }
    EXPECT_TRUE(answers[51].starts_with("HTTP/1.1 200"));
    EXPECT_NE(answers[51].find("Date: "), std::string::npos);
    EXPECT_NE(answers[51].find("max-age=1"), std::string::npos);
}

TEST_F(Wire, says_what_is_wrong_as_a_problem) {
    open_room();
    const auto answers = exchange("GET /vwr/check/" + event.text() +
                                      "/forged HTTP/1.1\r\nHost: x\r\n\r\n"
                                      "GET /vwr/assign/" +
                                      event.text() + " HTTP/1.1\r\nHost: x\r\n\r\n",
                                  2);
    EXPECT_TRUE(answers[0].starts_with("HTTP/1.1 403"));
    EXPECT_NE(answers[0].find("RECEIPT_INVALID"), std::string::npos);
    EXPECT_TRUE(answers[1].starts_with("HTTP/1.1 405"));
}

} // namespace
} // namespace urr::waiting_room
