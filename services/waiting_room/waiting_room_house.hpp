// A waiting room for tests: from its HTTP face down to its store, on two simulated loops and the
// simulator's SQLite. `crash` forgets everything but the file, `lose_store` the file too.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::waiting_room {

namespace fs = std::filesystem;

struct Answer {
    int status = 0;
    std::string headers;
    JsonValue body;
    bool at_once = false;

    std::string_view code() const { return body.text_of("code"); }
    std::uint64_t number(std::string_view name) const {
        return std::uint64_t(body.integer_of(name));
    }
    std::string text(std::string_view name) const { return std::string(body.text_of(name)); }
};

struct Ask {
    Method method = Method::get;
    std::string path;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

// A process with two loops, its store, and queue's key to steer it. `crash` forgets everything but
// the file.
struct House {
    fs::path file;
    SimWorld world;
    SimLoop first{world}, second{world};
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SeededRandom random;
    Options settings;
    CallerKey queue{"queue", HmacKey("queue-to-vwr")};
    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<Component> component;
    std::unique_ptr<Nursery> nursery;
    std::uint64_t sequence = 0;

    explicit House(std::uint64_t seed, RateRule rate = {.adaptive = true})
        : file(fs::temp_directory_path() /
               ("urr_vwr_" + std::to_string(::getpid()) + "_" + std::to_string(seed) + ".db")),
          world(seed), random(seed) {
        settings.rate = rate;
        settings.receipt_keys.current.number = 1;
        settings.receipt_keys.current.secret.fill(5);
        std::array<unsigned char, 32> token_seed;
        token_seed.fill(6);
        settings.token_key = SigningKey::from_seed(TokenType::vwr, "vwr-1", token_seed);
        settings.callers.emplace("queue", HmacKey("queue-to-vwr"));
        settings.callers.emplace("gateway", HmacKey("gateway-to-vwr"));
        start();
    }
    ~House() {
        crash();
        for (const char* end : {"", "-wal", "-shm"}) fs::remove(file.string() + end);
    }
    void start() {
        SqliteOptions options;
        const std::string path = file.string();
        options.path = path;
        options.clock = &clock;
        database = must(open_sqlite_on_loop(options, first, random));
        must(migrate(*database, migrations()));
        component = std::make_unique<Component>(*database, std::vector<Loop*>{&first, &second},
                                                clock, random, settings);
        nursery = std::make_unique<Nursery>();
        bool opened = false;
        spawn(first, open(*component, opened));
        until(opened);
        {
            Loop::Enter in(&first);
            component->start_jobs(*nursery);
        }
    }
    void crash() {
        nursery.reset();
        component.reset();
        database.reset();
    }
    void lose_store() {
        crash();
        for (const char* end : {"", "-wal", "-shm"}) fs::remove(file.string() + end);
        start();
    }
    static Task<> open(Component& rooms, bool& done) {
        must(co_await rooms.open(Context{}));
        done = true;
    }
    void spawn(Loop& loop, Task<> task) {
        Loop::Enter in(&loop);
        nursery->spawn(std::move(task));
    }
    void until(const bool& done) {
        while (!done) {
            const Instant before = world.now();
            ASSERT_TRUE(world.step());
            clock.advance(world.now() - before);
        }
    }
    void pass(Duration duration) {
        world.run_until(world.now() + duration);
        clock.advance(duration);
    }

    static Request request_of(const Ask& ask) {
        Request request;
        request.method = ask.method;
        request.target = request.path = ask.path;
        request.body = ask.body;
        request.date = "Tue, 24 Nov 2026 11:00:00 GMT";
        request.peer = *Address::parse("203.0.113.7");
        for (const auto& [name, value] : ask.headers) request.add_header(name, value);
        return request;
    }
    static Task<> handle(Door& door, const Ask& ask, Answer& answer, bool& done) {
        Context context;
        context.deadline = Loop::here().now() + seconds(10);
        const Request request = request_of(ask);
        Response response = co_await door.handle(context, request);
        answer.status = response.status;
        answer.headers = response.headers;
        if (auto body = parse_json(response.body)) answer.body = std::move(*body);
        done = true;
    }
    static Answer parse(const std::string& raw) {
        Answer answer;
        answer.at_once = true;
        answer.status = std::stoi(raw.substr(9, 3));
        const std::size_t end = raw.find("\r\n\r\n");
        answer.headers = raw.substr(0, end + 2);
        const std::string body = raw.substr(end + 4);
        const std::size_t length = answer.headers.find("Content-Length: ");
        EXPECT_EQ(std::stoul(answer.headers.substr(length + 16)), body.size());
        answer.body = must(parse_json(body));
        return answer;
    }
    // As the server does: at once where that is possible, else by the routes.
    Answer ask(const Ask& what, std::size_t loop = 0) {
        Door& door = component->door(loop);
        std::string out;
        {
            Loop::Enter in(loop == 0 ? &first : &second);
            if (door.answer_at_once(request_of(what), out)) return parse(out);
        }
        EXPECT_TRUE(out.empty());
        Answer answer;
        bool done = false;
        spawn(loop == 0 ? first : second, handle(door, what, answer, done));
        until(done);
        return answer;
    }

    Answer steer(const EventId& event, std::string_view state, std::uint64_t epoch = 1,
                 std::uint32_t rate = 60, bool sold_out = false) {
        return put(event, report(state, epoch, ++sequence, rate, sold_out), &queue);
    }
    static std::string report(std::string_view state, std::uint64_t epoch, std::uint64_t sequence,
                              std::uint32_t rate, bool sold_out) {
        return "{\"epoch\":" + std::to_string(epoch) + ",\"sequence\":" + std::to_string(sequence) +
               ",\"state\":\"" + std::string(state) + "\",\"rate\":" + std::to_string(rate) +
               ",\"soldOut\":" + (sold_out ? "true}" : "false}");
    }
    Answer put(const EventId& event, const std::string& body, const CallerKey* caller) {
        Ask what{Method::put, "/vwr/rooms/" + event.text(), body, {}};
        Request request = request_of(what);
        std::optional<CallerHeaders> headers; // the request holds views into it
        if (caller) {
            headers.emplace(*caller, "vwr", Principal{}, request, clock.now());
            headers->attach(request);
        }
        for (const Header& header : request.headers())
            what.headers.push_back({std::string(header.name), std::string(header.value)});
        return ask(what);
    }
    Answer assign(const EventId& event, std::size_t loop = 0) {
        return ask({Method::post, "/vwr/assign/" + event.text(), "", {}}, loop);
    }
    Answer status(const EventId& event) {
        return ask({Method::get, "/vwr/status/" + event.text(), "", {}});
    }
    Answer check(const EventId& event, const std::string& receipt) {
        return ask({Method::get, "/vwr/check/" + event.text() + "/" + receipt, "", {}});
    }
    EventId new_event() { return EventId::make(clock.now(), random); }
};

} // namespace urr::waiting_room
