// What a line in a real Redis does when Redis is away, stands still, is emptied, or fails over to a
// replica that was behind: nobody's place is lost, nobody is let in while it may be. Two processes
// of queue, their clients and the server are real; the clock that admissions are judged by is
// turned by hand.
#include <functional>

#include "services/queue/queue_house.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::queue {
namespace {

SystemRandom dice;
SilentLog silent;

SigningKey key_of(TokenType type, unsigned char fill) {
    std::array<unsigned char, 32> seed;
    seed.fill(fill);
    return SigningKey::from_seed(type, "k", seed);
}

// The event log: all there is, in order.
struct KeptLog final : EventLog {
    std::vector<Message> all;
    Task<Result<void>> append(Context, std::vector<Message> messages) override {
        for (Message& message : messages) all.push_back(std::move(message));
        co_return Result<void>{};
    }
    Task<> deliver(std::string, std::string, Consumer&) override { co_return; }
    Task<Result<std::int64_t>> replay(Context, std::string, Consumer&) override { co_return 0; }
    Task<Result<std::int64_t>> parked(Context) override { co_return 0; }
    Task<Result<std::int64_t>> prune(Context, Duration) override { co_return 0; }
};

struct Fan {
    AccountId who;
    std::string room_token, place, entry;
};

// What the processes share.
struct World {
    ManualClock clock{Instant{1'800'000'000'000'000}};
    FakeEvents events;
    FakeRoom room;
    KeptLog log;
    EventId event = EventId::make(clock.now(), dice);
    SigningKey room_key = key_of(TokenType::vwr, 1);

    World() { events.all[event] = {.room = true, .on_sale = true, .free = 1000, .sold = 1}; }
    Fan fan(std::uint64_t position) {
        Claims claims;
        claims.type = TokenType::vwr;
        claims.subject = AccountId::make(clock.now(), dice);
        claims.event = event;
        claims.id = make_id_bytes(clock.now(), dice);
        claims.epoch = room.rooms.at(event).epoch;
        claims.position = position;
        claims.issued = clock.now();
        claims.expires = clock.now() + minutes(10);
        room.rooms.at(event).next = position + 1;
        return {claims.subject, sign_token(room_key, claims), "", ""};
    }
};

struct Process {
    World& world;
    std::unique_ptr<Redis> redis;
    RedisLines lines;
    RevokedEntries revoked;
    Service service;
    GenerationId reading;
    std::size_t read = 0;

    Process(RunLoop& loop, World& of, RedisOptions options, const char* name,
            std::int64_t threshold)
        : world(of), redis(must(connect_redis(loop, dice, fast(std::move(options)), silent))),
          lines(*redis, {.holder = name, .clock = &of.clock}), service(parts(threshold)) {}
    static RedisOptions fast(RedisOptions options) {
        options.command_timeout = seconds(2);
        return options;
    }
    Parts parts(std::int64_t threshold) {
        PublicKeys shown_keys;
        shown_keys.add(world.room_key);
        shown_keys.add(key_of(TokenType::entry, 2));
        shown_keys.add(key_of(TokenType::place, 3));
        Rules rules;
        rules.threshold = threshold;
        return {lines,
                world.clock,
                dice,
                world.events,
                revoked,
                world.room,
                CallerKey{"queue", HmacKey("queue-to-vwr")},
                key_of(TokenType::entry, 2),
                key_of(TokenType::place, 3),
                std::move(shown_keys),
                rules,
                500,
                seconds(60),
                100};
    }
    Context as(const Fan& fan) const {
        Context context;
        context.deadline = Loop::here().now() + seconds(30);
        context.principal.account = fan.who;
        context.principal.role = Role::user;
        return context;
    }
    // A second of background work; the log goes on, unless it is held back.
    Task<> tick() {
        Context context;
        context.deadline = Loop::here().now() + seconds(30);
        co_await service.tick(context);
        for (const EventId& event : {EventId{}, world.event})
            if (event == EventId{} || lines.has_turn(event))
                (void)co_await lines.carry(context, world.log, event);
        if (std::exchange(reading, service.generation()) != service.generation()) read = 0;
        while (read < world.log.all.size()) {
            if (!co_await service.consume(context, world.log.all[read])) break; // again later
            ++read;
        }
    }
    Task<Result<Standing>> enter(const Fan& fan) {
        co_return co_await service.enter(as(fan), world.event,
                                         {fan.room_token, fan.place, fan.entry});
    }
    Task<Result<Standing>> status(const Fan& fan) {
        co_return co_await service.status(as(fan), world.event, {"", fan.place, fan.entry});
    }
    Task<> join(Fan& fan) { fan.place = must(co_await enter(fan)).place_token; }
};

struct Two {
    RunLoop& on;
    const RedisOptions redis;
    const std::int64_t set; // the threshold of the settings
    World world;
    std::unique_ptr<Process> one, two;

    Two(RunLoop& loop, const RedisOptions& options, std::int64_t threshold)
        : on(loop), redis(options), set(threshold),
          one(std::make_unique<Process>(loop, world, options, "one", threshold)),
          two(std::make_unique<Process>(loop, world, options, "two", threshold)) {}
    Task<> open() {
        (void)must(co_await one->service.open(Context{}));
        (void)must(co_await two->service.open(Context{}));
        world.room.rooms[world.event] = {7, 0, 1, 0, 0, 0};
        co_await pass(2);
        // A new event in a sale that had a life before gathers first.
        world.clock.advance(seconds(61));
        co_await pass(2);
    }
    // Another process in its place, which knows nothing but its settings.
    Task<> start_anew(std::unique_ptr<Process>& process, const char* name) {
        process.reset();
        process = std::make_unique<Process>(on, world, redis, name, set);
        (void)must(co_await process->service.open(Context{}));
    }
    Task<> pull(Pull what) {
        Context organizer = one->as(world.fan(99));
        organizer.principal.role = Role::admin;
        must(co_await one->service.pull(organizer, world.event, std::move(what), false));
    }
    // All give signs of life in each of so many seconds.
    Task<> pass(int count, const std::vector<const Fan*>& awake = {}) {
        for (int i = 0; i < count; ++i) {
            world.clock.advance(seconds(1));
            for (std::size_t f = 0; f < awake.size(); ++f)
                (void)co_await (f % 2 ? one : two)->status(*awake[f]);
            co_await one->tick();
            co_await two->tick();
        }
    }
    // Neither is anybody let in by, nor does anybody's place change.
    Task<std::size_t> inside() {
        std::size_t count = 0;
        for (const auto& [account, member] : must(co_await one->lines.line(Context{}, world.event)))
            count += member.state == MemberState::active ? 1 : 0;
        co_return count;
    }
};

// Sentinels do nothing for half a minute where the clock was set or the machine stood still.
Task<> until(const std::function<bool()>& holds) {
    const Instant end = Loop::here().now() + minutes(2);
    while (!holds() && Loop::here().now() < end) (void)co_await sleep(Context{}, milliseconds(20));
    EXPECT_TRUE(holds()) << "it did not come about within two minutes";
}

Code code_of(const Result<Standing>& answer) {
    return answer ? Code::INTERNAL : answer.error().code();
}

TEST(LineFailures, a_redis_that_is_away_stops_the_line_and_costs_nobody_the_place) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 1);
        co_await of.open();
        Fan a = of.world.fan(1), b = of.world.fan(2), c = of.world.fan(3), late = of.world.fan(4);
        co_await of.one->join(a);
        co_await of.two->join(b);
        co_await of.one->join(c);
        co_await of.pass(2, {&a, &b, &c});
        const Standing in = must(co_await of.two->status(a));
        EXPECT_TRUE(in.active);
        server.kill_nine();
        co_await until([&] { return !of.one->redis->is_up() && !of.two->redis->is_up(); });
        // Whoever is known is told how he stood; nobody joins.
        EXPECT_EQ(must(co_await of.one->status(c)).ahead, 1u);
        EXPECT_EQ(must(co_await of.one->status(a)).entry_token, in.entry_token);
        EXPECT_EQ(code_of(co_await of.two->enter(late)), Code::UNAVAILABLE);
        co_await of.pass(3, {&a, &b, &c});
        server.start();
        co_await until([&] { return of.one->redis->is_up() && of.two->redis->is_up(); });
        EXPECT_EQ((co_await of.one->service.leave(of.one->as(a), of.world.event)).has_value(),
                  true);
        // It may have forgotten: nobody is let in for a minute, though there is room.
        for (int i = 0; i < 5; ++i) {
            co_await of.pass(10, {&b, &c});
            EXPECT_EQ(co_await of.inside(), 0u);
            EXPECT_TRUE(must(co_await of.two->status(b)).recovering);
        }
        EXPECT_EQ(must(co_await of.two->status(b)).ahead, 0u);
        co_await of.pass(15, {&b, &c});
        EXPECT_TRUE(must(co_await of.two->status(b)).active);
        EXPECT_FALSE(must(co_await of.two->status(c)).active);
        EXPECT_TRUE((co_await of.two->enter(late)).has_value());
    });
}

TEST(LineFailures, a_redis_that_stands_still_is_waited_for_and_nothing_is_restored) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 1);
        co_await of.open();
        Fan a = of.world.fan(1), b = of.world.fan(2), late = of.world.fan(3);
        co_await of.one->join(a);
        co_await of.two->join(b);
        co_await of.pass(2, {&a, &b});
        EXPECT_TRUE(must(co_await of.one->status(a)).active);
        const GenerationId before = of.one->service.generation();
        server.pause(true);
        EXPECT_EQ(must(co_await of.two->status(b)).ahead, 0u); // after the command's time
        const Code refused = code_of(co_await of.two->enter(late));
        EXPECT_TRUE(refused == Code::OUTCOME_UNKNOWN || refused == Code::UNAVAILABLE ||
                    refused == Code::DEADLINE_EXCEEDED)
            << name(refused);
        server.pause(false);
        co_await until([&] { return of.one->redis->is_up() && of.two->redis->is_up(); });
        must(co_await of.one->service.leave(of.one->as(a), of.world.event));
        co_await of.pass(2, {&b});
        EXPECT_EQ(of.one->service.generation(), before); // it was this life all along
        EXPECT_TRUE(must(co_await of.two->status(b)).active);
        EXPECT_TRUE((co_await of.two->enter(late)).has_value());
        // Slower than usual, but within the command's time: nothing but slow.
        server.say({"CLIENT", "PAUSE", "200", "ALL"});
        EXPECT_TRUE(must(co_await of.one->status(b)).active);
        EXPECT_EQ(must(co_await of.one->status(late)).ahead, 0u);
    });
}

TEST(LineFailures, a_redis_that_was_emptied_is_filled_by_what_is_shown_at_either_process) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 1);
        co_await of.open();
        Fan a = of.world.fan(1), b = of.world.fan(2), c = of.world.fan(3);
        co_await of.one->join(a);
        co_await of.two->join(b);
        co_await of.one->join(c);
        co_await of.pass(2, {&a, &b, &c});
        a.entry = must(co_await of.one->status(a)).entry_token;
        EXPECT_FALSE(a.entry.empty());
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        // In another order than they came, each at another process than before.
        EXPECT_FALSE(must(co_await of.two->status(c)).active);
        EXPECT_EQ(must(co_await of.two->status(a)).entry_token, a.entry);
        EXPECT_FALSE(must(co_await of.one->status(b)).active);
        co_await of.pass(1, {&b, &c});
        EXPECT_EQ(must(co_await of.one->status(b)).ahead, 0u);
        EXPECT_EQ(must(co_await of.two->status(c)).ahead, 1u);
        must(co_await of.one->service.leave(of.one->as(a), of.world.event));
        for (int i = 0; i < 5; ++i) {
            co_await of.pass(10, {&b, &c});
            EXPECT_EQ(co_await of.inside(), 0u);
        }
        co_await of.pass(12, {&b, &c});
        EXPECT_TRUE(must(co_await of.two->status(b)).active);
        EXPECT_FALSE(must(co_await of.two->status(c)).active);
    });
}

TEST(LineFailures, a_redis_that_was_emptied_opens_no_sale_that_was_paused) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 5);
        co_await of.open();
        Fan fan = of.world.fan(1);
        Pull pull;
        pull.paused = true;
        pull.message = "the hall is being cleared";
        co_await of.pull(pull);
        co_await of.one->join(fan);
        co_await of.pass(2, {&fan});
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        EXPECT_FALSE(must(co_await of.two->status(fan)).active); // the other one begins anew
        for (int i = 0; i < 8; ++i) co_await of.pass(10, {&fan});
        for (Process* each : {of.one.get(), of.two.get()}) {
            const Overview seen = must(each->service.overview(of.world.event));
            EXPECT_FALSE(seen.recovering);
            EXPECT_TRUE(seen.levers.paused);
            EXPECT_EQ(seen.levers.message, "the hall is being cleared");
            EXPECT_EQ(seen.levers.threshold, 5);
        }
        EXPECT_EQ(co_await of.inside(), 0u);
    });
}

TEST(LineFailures, a_redis_that_was_emptied_while_all_processes_ended_has_the_levers_of_the_log) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 5);
        co_await of.open();
        Fan fan = of.world.fan(1);
        Pull pull;
        pull.paused = true;
        pull.threshold = 2;
        co_await of.pull(pull);
        co_await of.one->join(fan);
        co_await of.pass(2, {&fan});
        of.one.reset();
        of.two.reset();
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        co_await of.start_anew(of.two, "three");
        co_await of.start_anew(of.one, "four");
        for (int i = 0; i < 8; ++i) co_await of.pass(10, {&fan});
        for (Process* each : {of.one.get(), of.two.get()}) {
            const Overview seen = must(each->service.overview(of.world.event));
            EXPECT_FALSE(seen.recovering);
            EXPECT_TRUE(seen.levers.paused);
            EXPECT_EQ(seen.levers.threshold, 2);
        }
        EXPECT_EQ(co_await of.inside(), 0u);
        pull.paused = false;
        co_await of.pull(pull);
        co_await of.pass(2, {&fan});
        EXPECT_EQ(co_await of.inside(), 1u);
    });
}

// No failure, but a thing of two processes: the clear is pulled at one of them.
TEST(LineFailures, a_clear_ends_the_streams_of_the_other_process_too) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 1);
        co_await of.open();
        Fan a = of.world.fan(1);
        co_await of.two->join(a);
        auto stream = must(of.two->service.listen(of.two->as(a), of.world.event, ""));
        Pull pull;
        pull.clear = true;
        co_await of.pull(pull);
        co_await of.two->tick();
        std::string told;
        for (;;) {
            const auto frame = co_await stream->next(of.two->as(a));
            if (!frame || !*frame) break;
            told += **frame;
        }
        EXPECT_NE(told.find(R"({"reason":"cleared"})"), std::string::npos) << told;
    });
}

// The log has not heard of the pull: one process remembers it, another one is first to begin anew.
TEST(LineFailures, a_process_with_its_settings_alone_wins_over_no_process_that_remembers) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, server.options(), 5);
        co_await of.open();
        Pull pull;
        pull.paused = true;
        co_await of.pull(pull);
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        co_await of.start_anew(of.two, "three");
        EXPECT_FALSE(must(of.two->service.overview(of.world.event)).levers.paused);
        for (int i = 0; i < 7; ++i) co_await of.pass(10);
        for (Process* each : {of.one.get(), of.two.get()}) {
            const Overview seen = must(each->service.overview(of.world.event));
            EXPECT_FALSE(seen.recovering);
            EXPECT_TRUE(seen.levers.paused);
        }
        EXPECT_FALSE(of.world.log.all.empty());
        EXPECT_EQ(of.world.log.all.back().type, LeversPulled::type); // from here on it has
    });
}

// What the new primary did not get: an admission, an end, a place, a pull.
TEST(LineFailures, a_failover_to_a_replica_that_was_behind_loses_no_place_and_no_slot) {
    RedisServer first({.password = "pw"});
    RedisServer second({.password = "pw", .replica_of = first.port()});
    RedisServer sentinel(
        {.password = "watch",
         .more = {"sentinel monitor tix 127.0.0.1 " + std::to_string(first.port()) + " 1",
                  "sentinel auth-pass tix pw", "sentinel down-after-milliseconds tix 600000",
                  "sentinel failover-timeout tix 3000", "sentinel sentinel-pass watch"},
         .sentinel = true});
    RedisOptions options = sentinel.options();
    options.primary_name = "tix";
    options.sentinel_password = "watch";
    options.password = "pw";
    on_loop([&](RunLoop& loop) -> Task<> {
        Two of(loop, options, 1);
        co_await of.open();
        Fan a = of.world.fan(1), b = of.world.fan(2), c = of.world.fan(3), d = of.world.fan(4);
        co_await of.one->join(a);
        co_await of.two->join(b);
        co_await of.one->join(c);
        co_await of.pass(2, {&a, &b, &c});
        a.entry = must(co_await of.one->status(a)).entry_token;
        const std::string line = "{" + of.world.event.text() + "}:queue";
        co_await until([&] {
            return second.say({"HLEN", line}) == "3" &&
                   sentinel.say({"SENTINEL", "REPLICAS", "tix"}).find("slave") != std::string::npos;
        });
        // The replica hears nothing from here on: it cannot come back to the primary.
        second.say({"CONFIG", "SET", "masterauth", "forgotten"});
        first.say({"CLIENT", "KILL", "TYPE", "replica"});
        must(co_await of.one->service.leave(of.one->as(a), of.world.event));
        Pull pull;
        pull.message = "ten minutes";
        co_await of.pull(pull);
        co_await of.two->join(d);
        co_await of.pass(2, {&b, &c, &d});
        b.entry = must(co_await of.two->status(b)).entry_token;
        EXPECT_FALSE(b.entry.empty());
        EXPECT_EQ(second.say({"HLEN", line}), "3");
        const GenerationId before = of.one->service.generation();
        const std::string life = of.one->redis->primary();
        EXPECT_EQ(sentinel.say({"SENTINEL", "SET", "tix", "down-after-milliseconds", "500"}), "OK");
        first.kill_nine();
        co_await until([&] {
            return of.one->redis->is_up() && of.one->redis->primary() != life &&
                   of.two->redis->is_up() && of.two->redis->primary() != life;
        });
        co_await of.pass(3, {&b, &c, &d});
        EXPECT_NE(of.one->service.generation(), before);
        EXPECT_EQ(of.two->service.generation(), of.one->service.generation());
        EXPECT_EQ(must(of.two->service.overview(of.world.event)).levers.message, "ten minutes");
        // The log has told of both, d has shown his place.
        EXPECT_EQ(must(co_await of.one->status(b)).entry_token, b.entry);
        a.place.clear();
        EXPECT_EQ(code_of(co_await of.two->status(a)), Code::QUEUE_RECOVERING); // his entry is over
        EXPECT_EQ(must(co_await of.two->status(c)).ahead, 0u);
        EXPECT_EQ(must(co_await of.two->status(d)).ahead, 1u);
        must(co_await of.one->service.leave(of.one->as(b), of.world.event));
        for (int i = 0; i < 5; ++i) {
            co_await of.pass(10, {&c, &d});
            EXPECT_EQ(co_await of.inside(), 0u);
        }
        co_await of.pass(12, {&c, &d});
        EXPECT_TRUE(must(co_await of.two->status(c)).active);
        EXPECT_FALSE(must(co_await of.two->status(d)).active);
    });
}

} // namespace
} // namespace urr::queue
