// Locks of seats: what both engines promise, then what several processes know of one another when
// Redis is there, lost, emptied, set back to the past, or hangs.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "services/ticket/shared_seat_locks.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::ticket {
namespace {

SystemRandom dice;
SilentLog silent;
constexpr Instant t0{1'800'000'000'000'000};

using Seats = std::vector<std::int64_t>;

AccountId somebody() { return AccountId::make(t0, dice); }
Task<> pass(Duration time) { (void)co_await sleep(Context{}, time); }
Task<> until(std::function<bool()> holds) {
    while (!holds()) co_await pass(milliseconds(2));
}

Event event_of(int seats) {
    Event event;
    event.id = EventId::make(t0, dice);
    event.layout = plain_layout(seats);
    return event;
}

// A process of ticket, as far as locks go: its map hears what they hear.
struct Process {
    std::unique_ptr<Redis> redis;
    std::unique_ptr<SeatLocks> locks;
    SeatMap map;
    Nursery jobs;

    explicit Process(const Event& event)
        : locks(std::make_unique<SeatLocks>()), map(event, rows(event)) {
        locks->add_holders(event.id, {}); // as loading the event does
    }
    Process(RunLoop& loop, const RedisServer& server, const Event& event)
        : map(event, rows(event)) {
        redis = must(connect_redis(loop, dice, server.options(), silent));
        auto shared = std::make_unique<SharedSeatLocks>(*redis);
        shared->add_holders(event.id, {});
        shared->on_news([this](const std::vector<SeatChange>& news) { map.apply(news); });
        jobs.spawn(shared->run());
        locks = std::move(shared);
    }
    static std::vector<SeatRow> rows(const Event& event) {
        return std::vector<SeatRow>(std::size_t(seat_count(event.layout)),
                                    {SeatState::available, 1});
    }

    // As the store answers a hold, and as its rows tell of a change.
    void held(const AccountId& who, const Seats& seats, std::int64_t version,
              Duration time = minutes(5)) {
        Held held{{ReservationId::make(t0, dice),
                   map.event().id,
                   who,
                   ReservationState::pending,
                   seats,
                   {},
                   t0,
                   t0 + time,
                   0},
                  {},
                  false};
        for (const std::int64_t seat : seats)
            held.changes.push_back(change(seat, SeatState::held, version));
        map.apply(held.changes);
        locks->held(held, Loop::here().now());
    }
    void changed(std::int64_t seat, SeatState state, std::int64_t version) {
        map.apply({change(seat, state, version)});
        locks->changed({change(seat, state, version)});
    }
    void reads_row(std::int64_t seat, SeatState state, std::int64_t version) {
        map.apply({change(seat, state, version)});
    }
    SeatChange change(std::int64_t seat, SeatState state, std::int64_t version) const {
        return {map.event().id, seat, state, version};
    }
    Seats taken(const Seats& seats, const AccountId& who = somebody()) const {
        return locks->taken(map, who, seats);
    }
};

class Locks : public testing::TestWithParam<bool> {
protected:
    Event event = event_of(10);
    void with(const std::function<Task<>(Process&)>& test) {
        std::unique_ptr<RedisServer> server;
        if (GetParam()) server = std::make_unique<RedisServer>();
        on_loop([&](RunLoop& loop) -> Task<> {
            if (server) {
                Process process(loop, *server, event);
                co_await test(process);
            } else {
                Process process(event);
                co_await test(process);
            }
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Locks, testing::Bool(),
                         [](const auto& info) { return info.param ? "redis" : "embedded"; });

TEST_P(Locks, refuse_others_the_seats_that_are_somebodys_and_nobody_else) {
    with([](Process& p) -> Task<> {
        const AccountId fan = somebody(), former = somebody();
        EXPECT_EQ(p.taken({1, 2, 3}), Seats{});
        p.held(former, {5}, 2);
        p.changed(5, SeatState::available, 3);
        p.held(fan, {1, 2}, 2);
        EXPECT_EQ(p.taken({1, 2, 3}), (Seats{1, 2}));
        EXPECT_EQ(p.taken({3, 4}), Seats{});
        // Requests of who holds or has held may be repeats of ones that succeeded.
        EXPECT_EQ(p.taken({1, 2}, fan), Seats{});
        EXPECT_EQ(p.taken({1, 2}, former), Seats{});
        const AccountId known = somebody();
        p.locks->add_holders(p.map.event().id, {known});
        EXPECT_EQ(p.taken({1, 2}, known), Seats{});
        co_return;
    });
}

TEST_P(Locks, end_with_the_hold_with_its_release_and_with_what_the_rows_say) {
    with([](Process& p) -> Task<> {
        const Duration brief = seconds(1);
        const Instant ends = Loop::here().now() + brief;
        p.held(somebody(), {1}, 2, brief);
        p.held(somebody(), {2, 3}, 2);
        const Seats before = p.taken({1, 2, 3});
        if (Loop::here().now() < ends) EXPECT_EQ(before, (Seats{1, 2, 3}));
        co_await pass(brief + milliseconds(10));
        EXPECT_EQ(p.taken({1, 2, 3}), (Seats{2, 3}));
        p.changed(2, SeatState::available, 3);
        EXPECT_EQ(p.taken({1, 2, 3}), Seats{3});
        p.reads_row(3, SeatState::available, 3);
        EXPECT_EQ(p.taken({1, 2, 3}), Seats{});
    });
}

TEST_P(Locks, of_paid_seats_have_no_end_and_what_comes_late_says_nothing_new) {
    with([](Process& p) -> Task<> {
        const AccountId fan = somebody();
        p.held(fan, {1}, 2, milliseconds(500));
        p.changed(1, SeatState::paying, 3);
        co_await pass(milliseconds(510));
        EXPECT_EQ(p.taken({1}), Seats{1});
        p.changed(1, SeatState::sold, 4);
        EXPECT_EQ(p.taken({1}), Seats{1});
        EXPECT_EQ(p.taken({1}, fan), Seats{});
        p.changed(1, SeatState::available, 3); // late
        EXPECT_EQ(p.taken({1}), Seats{1});
        // Sold to whom is not known when something came between; after a decline, for how long.
        p.changed(1, SeatState::sold, 9);
        EXPECT_EQ(p.taken({1}), Seats{});
        p.held(fan, {2}, 2);
        p.changed(2, SeatState::paying, 3);
        p.changed(2, SeatState::held, 4);
        EXPECT_EQ(p.taken({2}), Seats{});
        p.held(fan, {2}, 3); // of one that stood still for long
        EXPECT_EQ(p.taken({2}), Seats{});
    });
}

TEST_P(Locks, that_are_newer_than_a_store_that_was_set_back_go_at_the_next_look) {
    with([](Process& p) -> Task<> {
        std::vector<SeatRow> rows = Process::rows(event_of(10));
        p.held(somebody(), {1, 2}, 7);
        p.changed(3, SeatState::paying, 7);
        co_await pass(milliseconds(2));
        const Instant began = Loop::here().now();
        co_await pass(milliseconds(2));
        p.held(somebody(), {4}, 7); // the reading that is under way may not show it
        rows[1].version = 7;
        p.locks->saw_rows(p.map.event().id, rows, began);
        EXPECT_EQ(p.taken({1, 2, 3, 4}), (Seats{1, 4}));
        // The store gives its numbers anew.
        SeatMap anew(p.map.event(), rows);
        p.held(somebody(), {2}, 2);
        EXPECT_EQ(p.locks->taken(anew, somebody(), Seats{2, 3}), Seats{2});
    });
}

TEST_P(Locks, of_an_event_that_has_ended_are_forgotten_and_refuse_nobody_until_holders_are_known) {
    with([](Process& p) -> Task<> {
        const AccountId former = somebody();
        p.held(former, {1}, 2);
        p.changed(1, SeatState::available, 3);
        p.locks->forget(p.map.event().id);
        p.held(somebody(), {1, 2}, 4); // its sale was prolonged after all
        EXPECT_EQ(p.taken({1, 2}), Seats{});
        p.locks->add_holders(p.map.event().id, {former});
        EXPECT_EQ(p.taken({1, 2}), (Seats{1, 2}));
        EXPECT_EQ(p.taken({1, 2}, former), Seats{});
        co_return;
    });
}

struct SharedLocks : testing::Test {
    Event event = event_of(300);
    RedisServer server;
};

TEST_F(SharedLocks, are_heard_of_at_once_and_read_by_those_that_begin_later) {
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event), b(loop, server, event);
        co_await until([&] { return a.redis->is_up() && b.redis->is_up(); });
        const AccountId fan = somebody();
        for (std::int64_t seat = 0; seat < 300; ++seat) a.held(fan, {seat}, 2);
        co_await until([&] { return b.map.letters() == std::string(300, 'h'); });
        EXPECT_EQ(b.taken({0, 150, 299}), (Seats{0, 150, 299}));
        EXPECT_EQ(b.taken({0}, fan), Seats{}); // his repeat may come to any process
        b.changed(0, SeatState::paying, 3);
        b.changed(1, SeatState::available, 3);
        co_await until([&] { return a.map.letters()[1] == 'a'; });
        EXPECT_EQ(a.taken({0, 1, 2}), (Seats{0, 2}));
        Process late(loop, server, event);
        co_await until([&] { return late.map.letters().substr(0, 3) == "pah"; });
        EXPECT_EQ(late.taken({0, 1, 2}), (Seats{0, 2}));
        EXPECT_EQ(late.taken({2}, fan), Seats{});
    });
    const std::string key = "seat-lock:{" + event.id.text() + "}";
    EXPECT_EQ(server.say({"HLEN", key}), "300");
    EXPECT_GT(std::stol(server.say({"PTTL", key})), 0);
    EXPECT_EQ(server.say({"SCARD", key + ":holders"}), "1");
}

TEST_F(SharedLocks, of_a_redis_that_was_killed_and_emptied_are_told_again) {
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event), b(loop, server, event);
        co_await until([&] { return a.redis->is_up() && b.redis->is_up(); });
        a.held(somebody(), {1}, 2);
        co_await until([&] { return b.taken({1}) == Seats{1}; });
        server.kill_nine();
        co_await until([&] { return !a.redis->is_up() && !b.redis->is_up(); });
        EXPECT_EQ(b.taken({1}), Seats{1});     // what is known stays known
        a.held(somebody(), {2}, 2);            // nothing waits
        a.changed(1, SeatState::available, 3); // b does not hear of it
        EXPECT_EQ(b.taken({1}), Seats{1});
        b.reads_row(1, SeatState::available, 3); // but its next look at the rows tells
        EXPECT_EQ(b.taken({1}), Seats{});
        server.forget_all();
        server.start();
        co_await until([&] { return b.taken({2}) == Seats{2}; });
        EXPECT_EQ(b.taken({1, 2}), Seats{2});
    });
}

// A replica that became the primary may lack the last of what was told.
TEST_F(SharedLocks, of_the_past_are_no_locks) {
    on_loop([&](RunLoop& loop) -> Task<> {
        const std::string key = "seat-lock:{" + event.id.text() + "}";
        Process a(loop, server, event);
        co_await until([&] { return a.redis->is_up(); });
        a.held(somebody(), {1}, 2);
        co_await until([&] { return server.say({"HLEN", key}) == "1"; });
        const std::string past = server.say({"HGET", key, "1"});
        a.changed(1, SeatState::available, 3);
        a.held(somebody(), {1}, 4);
        co_await until([&] { return server.say({"HGET", key, "1"}).starts_with("4 1"); });
        server.say({"HSET", key, "1", past});
        server.say({"HSET", key, "2", "rubbish"});
        server.say({"CLIENT", "KILL", "TYPE", "pubsub"});
        // Who begins now and has looked at the rows, knows better; who was there tells it again.
        Process late(loop, server, event);
        late.reads_row(1, SeatState::available, 5);
        co_await until([&] { return server.say({"HGET", key, "1"}).starts_with("4 1"); });
        co_await pass(milliseconds(50));
        EXPECT_EQ(late.taken({1, 2}), Seats{});
        EXPECT_EQ(a.taken({1, 2}), Seats{1});
    });
}

TEST_F(SharedLocks, that_stand_before_a_malformed_one_are_passed_on) {
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event);
        co_await until([&] { return a.redis->is_up(); });
        const auto say = [&](const std::string& items) {
            return server.say({"PUBLISH", "seat-locks", event.id.text() + " " + items});
        };
        const std::string whose = " 2 1 " + somebody().text() + " 60000";
        co_await until([&] { return say("0" + whose) == "1"; }); // it hears
        EXPECT_EQ(say("1" + whose + " 2 rubbish 1 - 60000"), "1");
        EXPECT_EQ(say("3" + whose), "1");
        co_await until([&] { return a.map.letters()[3] == 'h'; });
        EXPECT_EQ(a.map.letters().substr(0, 4), "hhah");
        EXPECT_EQ(a.taken({0, 1, 2, 3}), (Seats{0, 1, 3}));
    });
}

TEST_F(SharedLocks, are_not_waited_for_while_redis_hangs) {
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event), b(loop, server, event);
        co_await until([&] { return a.redis->is_up() && b.redis->is_up(); });
        server.pause(true);
        for (std::int64_t seat = 0; seat < 300; ++seat) a.held(somebody(), {seat}, 2);
        EXPECT_EQ(a.taken({0, 299}), (Seats{0, 299}));
        EXPECT_EQ(b.taken({0, 299}), Seats{}); // clicks come to the store
        server.pause(false);
        co_await until([&] { return b.taken({0, 299}) == Seats{0, 299}; });
    });
}

TEST_F(SharedLocks, of_a_store_that_was_set_back_are_taken_from_redis_as_well) {
    const std::string key = "seat-lock:{" + event.id.text() + "}";
    server.say({"HSET", key, "5", "2 1 " + somebody().text() + " -1"});
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event), b(loop, server, event);
        // Both have read: none of them tells what it knows once more.
        co_await until([&] { return a.taken({5}) == Seats{5} && b.taken({5}) == Seats{5}; });
        a.held(somebody(), {1, 2}, 7);
        co_await until([&] { return b.taken({1, 2}) == Seats{1, 2}; });
        co_await pass(milliseconds(2));
        std::vector<SeatRow> rows = Process::rows(event);
        rows[2].version = 7;
        rows[5].version = 2;
        b.locks->saw_rows(event.id, rows, Loop::here().now());
        EXPECT_EQ(b.taken({1, 2}), Seats{2});
        co_await until([&] { return server.say({"HEXISTS", key, "1"}) == "0"; });
        a.locks->saw_rows(event.id, rows, Loop::here().now());
        a.held(somebody(), {1}, 2); // numbers given anew are heard of again
        co_await until([&] { return server.say({"HGET", key, "1"}).starts_with("2 1"); });
        Process late(loop, server, event);
        co_await until([&] { return late.taken({1, 2}) == Seats{1, 2}; });
    });
}

TEST_F(SharedLocks, of_a_large_event_are_read_in_pages) {
    const Event large = event_of(20'000);
    const std::string key = "seat-lock:{" + large.id.text() + "}";
    server.say({"EVAL",
                R"(for i = 0, 19999 do redis.call("HSET", KEYS[1], i, "2 1 " .. ARGV[1] .. " -1") )"
                R"(redis.call("SADD", KEYS[2], "somebody" .. i) end)",
                "2", key, key + ":holders", somebody().text()});
    on_loop([&](RunLoop& loop) -> Task<> {
        Process late(loop, server, large);
        co_await until([&] { return late.map.letters() == std::string(20'000, 'h'); });
        EXPECT_EQ(late.taken({0, 10'000, 19'999}), (Seats{0, 10'000, 19'999}));
    });
    const std::string commands = server.say({"INFO", "commandstats"});
    EXPECT_EQ(commands.find("hgetall"), std::string::npos) << commands;
    EXPECT_EQ(commands.find("smembers"), std::string::npos) << commands;
    EXPECT_NE(commands.find("hscan"), std::string::npos) << commands;
}

TEST_F(SharedLocks, that_cannot_be_read_do_not_keep_those_of_other_events_from_being_read) {
    const Event oldest = event_of(10);
    std::vector<Event> events{event_of(10), event_of(10)};
    const auto key = [](const Event& of) { return "seat-lock:{" + of.id.text() + "}"; };
    const std::string lock = "2 1 " + somebody().text() + " -1";
    server.say({"SET", key(events[0]), "no hash"});
    server.say({"HSET", key(events[1]), "3", lock});
    on_loop([&](RunLoop& loop) -> Task<> {
        Process late(loop, server, events[1]);
        for (int i = 0; i < 20; ++i) { // older ones and newer ones, all of them unreadable
            Event broken = i % 2 ? event_of(10) : oldest;
            if (i % 2 == 0) broken.id.bytes[15] ^= std::uint8_t(i + 1);
            server.say({"SET", key(broken), "no hash"});
            late.locks->add_holders(broken.id, {});
        }
        late.locks->add_holders(events[0].id, {});
        co_await until([&] { return late.taken({3}) == Seats{3}; });
        // One that can be read again is read without a new connection.
        server.say({"DEL", key(events[0])});
        server.say({"HSET", key(events[0]), "4", lock});
        SeatMap map(events[0], Process::rows(events[0]));
        co_await until([&] { return late.locks->taken(map, somebody(), Seats{3, 4}) == Seats{4}; });
    });
}

TEST_F(SharedLocks, that_are_over_or_of_ended_events_are_not_told_again) {
    const std::string key = "seat-lock:{" + event.id.text() + "}";
    const Event ended = event_of(10);
    const std::string ended_key = "seat-lock:{" + ended.id.text() + "}";
    const Duration brief = seconds(2); // longer than it takes to be told
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event), past(loop, server, ended);
        co_await until([&] { return a.redis->is_up() && past.redis->is_up(); });
        a.held(somebody(), {1}, 2, brief);
        a.held(somebody(), {2}, 2);
        past.held(somebody(), {1, 2}, 2);
        for (const std::string& told : {key, ended_key})
            co_await until([&] { return server.say({"HLEN", told}) == "2"; });
        for (Process* process : {&a, &past}) process->locks->forget(ended.id);
        co_await pass(brief + milliseconds(10));
        server.kill_nine();
        co_await until([&] { return !a.redis->is_up() && !past.redis->is_up(); });
        server.forget_all();
        server.start();
        co_await until([&] { return server.say({"HLEN", key}) != "0"; });
        co_await until([&] { return past.redis->is_up(); });
        co_await pass(milliseconds(200));
    });
    EXPECT_EQ(server.say({"HKEYS", key}), "2");
    EXPECT_EQ(server.say({"EXISTS", ended_key}), "0");
}

TEST_F(SharedLocks, keep_no_more_holders_than_are_of_use) {
    const std::string key = "seat-lock:{" + event.id.text() + "}:holders";
    const std::string enough = std::to_string(SeatLocks::holders_max + 1);
    server.say({"EVAL", R"(for i = 1, tonumber(ARGV[1]) do redis.call("SADD", KEYS[1], i) end)",
                "1", key, enough});
    on_loop([&](RunLoop& loop) -> Task<> {
        Process a(loop, server, event);
        co_await until([&] { return a.redis->is_up(); });
        a.held(somebody(), {1}, 2);
        co_await until(
            [&] { return server.say({"HLEN", "seat-lock:{" + event.id.text() + "}"}) == "1"; });
    });
    EXPECT_EQ(server.say({"SCARD", key}), enough);
}

} // namespace
} // namespace urr::ticket
