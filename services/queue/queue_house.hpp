// A queue for tests: the service behind its guarded routes on a simulated loop and the simulator's
// SQLite, with a waiting room and a catalog that the test turns by hand. `crash` forgets everything
// but the files; `lose_store` deletes queue's.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/contract/events.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "services/queue/http/routes.hpp"
#include "services/queue/store/schema.hpp"
#include "services/queue/store/sql_lines.hpp"

namespace urr::queue {

struct Answer {
    int status = 0;
    std::string headers, body_text;
    JsonValue body;
    std::unique_ptr<Stream> stream;

    std::string_view code() const { return body.text_of("code"); }
    std::string text(std::string_view name) const { return std::string(body.text_of(name)); }
    std::int64_t number(std::string_view name) const { return body.integer_of(name); }
    bool active() const { return text("status") == "active"; }
};

struct FakeEvents final : Events {
    std::map<EventId, EventFacts> all;
    Result<EventFacts> find(const EventId& event) const override {
        const auto at = all.find(event);
        if (at == all.end()) return fail(Code::NOT_FOUND);
        return at->second;
    }
    std::vector<EventId> published() const override {
        std::vector<EventId> ids;
        for (const auto& [id, facts] : all) ids.push_back(id);
        return ids;
    }
    Task<Result<void>> refresh(Context) override { co_return Result<void>{}; }
};

// A waiting room that keeps what it was told and answers what the test sets.
struct FakeRoom final : Transport {
    std::map<EventId, RoomSeen> rooms;
    std::map<EventId, JsonValue> reports;
    bool away = false, hangs = false;
    int refused = 0; // how many reports to refuse as stale
    std::map<EventId, std::int64_t> sequences;

    Task<Result<Response>> send(Context context, Request request) override {
        if (away) co_return fail(Code::UNAVAILABLE);
        if (hangs) TRY(co_await sleep(context, hours(1)));
        const EventId event = *EventId::parse(request.path.substr(request.path.rfind('/') + 1));
        if (request.method == Method::put) {
            reports[event] = must(parse_json(request.body));
            std::int64_t& last = sequences[event];
            const bool older = reports[event].integer_of("sequence") <= last;
            last = std::max(last, reports[event].integer_of("sequence"));
            if (older || refused > 0) {
                if (refused > 0) --refused;
                co_return problem(Error(Code::REPORT_STALE), Trace{});
            }
            const auto epoch = std::uint64_t(reports[event].integer_of("epoch"));
            if (rooms[event].epoch < epoch) rooms[event] = {epoch, 0, 1, 0, 0, 0};
        }
        const auto at = rooms.find(event);
        if (at == rooms.end()) co_return problem(Error(Code::NOT_FOUND), Trace{});
        const RoomSeen& r = at->second;
        co_return json_response(
            200, "{\"epoch\":" + std::to_string(r.epoch) + ",\"phase\":" + std::to_string(r.phase) +
                     ",\"nextPosition\":" + std::to_string(r.next) +
                     ",\"serving\":" + std::to_string(r.serving) +
                     ",\"voidsServed\":" + std::to_string(r.voids_served) +
                     ",\"waiting\":" + std::to_string(r.waiting) + ",\"state\":\"open\"}");
    }
};

struct House;
// Where the lines of a House stand: in its database, or in a real Redis (tests/engines). One of the
// two is linked to the cases.
struct LinesOfHouse {
    virtual ~LinesOfHouse() = default;
    virtual LineStore& store() = 0;
    virtual void start_jobs(House& house) = 0;
};
std::unique_ptr<LinesOfHouse> open_lines(House& house);
void lose_lines(House& house);
// The server that the lines stand on was started anew, with all it had.
void restart_lines(House& house);

struct House {
    std::filesystem::path folder;
    SimWorld world;
    SimLoop loop{world};
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SeededRandom random;
    FakeEvents events;
    FakeRoom room;
    Rules rules;
    std::size_t streams_max = 20'000;
    bool is_fresh = true;   // nothing was started in it yet
    bool log_waits = false; // queue-events are not read yet
    Duration slack{};       // `pass` takes so much longer, so that a tick at its end is within
    SigningKey room_key, entry_key, place_key;
    PublicKeys replaced_keys; // that still count
    std::unique_ptr<SqliteDatabase> database, log_database;
    std::unique_ptr<LinesOfHouse> lines;
    std::unique_ptr<EventLog> log;
    std::unique_ptr<RevokedEntries> revoked;
    std::unique_ptr<Service> service;
    std::unique_ptr<Routes> routes;
    std::unique_ptr<GuardedService> face;
    std::unique_ptr<Nursery> nursery;
    EventId event;

    explicit House(std::uint64_t seed);
    ~House();

    void start();
    void crash();
    void lose_store();
    void restart_store();
    // From the next start on others sign; what these signed still counts.
    void replace_keys();
    // Time passes, in seconds: the service ticks in each.
    void pass(int seconds_long);
    void run(Task<> task);

    AccountId fan() { return AccountId::make(clock.now(), random); }
    std::string room_token(std::uint64_t position, std::uint32_t phase = 0);
    std::string token_of(const Claims& claims, const SigningKey& key) {
        return sign_token(key, claims);
    }
    struct Ask {
        AccountId who;
        Method method = Method::get;
        std::string path;
        std::string body;
        std::vector<std::pair<std::string, std::string>> headers;
        Role role = Role::user;
    };
    Answer ask(const Ask& what);
    Answer enter(const AccountId& who, const std::string& token = "",
                 std::vector<std::pair<std::string, std::string>> more = {});
    Answer status(const AccountId& who,
                  std::vector<std::pair<std::string, std::string>> shown = {}) {
        return ask({who, Method::get, path("/status"), "", std::move(shown)});
    }
    Answer leave(const AccountId& who) { return ask({who, Method::del, path("/entry"), "", {}}); }
    Answer lever(std::string_view name, const std::string& body, bool dry_run = false);
    Answer stream(const AccountId& who, std::string last_event_id = "");
    // What a stream has got, without waiting.
    std::string frames_of(Stream& stream);
    // ticket's news of a purchase.
    void bought(const AccountId& who) { must(tell_bought(who, clock.now())); }
    Result<> tell_bought(const AccountId& who, Instant at);
    std::string path(std::string_view end) const {
        return "/api/v1/queue/" + event.text() + std::string(end);
    }
    std::uint64_t epoch() const { return room.rooms.at(event).epoch; }
    bool is_revoked(const std::string& entry_token) {
        PublicKeys keys;
        keys.add(entry_key);
        const Claims claims = must(verify_token(keys, entry_token, TokenType::entry, clock.now()));
        return revoked->is_revoked(event, claims.id);
    }
    // All that queue has told so far, in order. A second passes.
    std::vector<Message> told();

private:
    std::unique_ptr<SqliteDatabase> open(const char* name, std::span<const Migration> tables);
};

} // namespace urr::queue
