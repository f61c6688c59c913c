// Lines that two processes share on a real Redis: they are as one, whichever of them is asked, and
// nobody is let in while the server may have forgotten.
#include "services/queue/store/redis_lines.hpp"

#include <gtest/gtest.h>

#include "tests/engines/redis_server.hpp"

namespace urr::queue {
namespace {

SystemRandom dice;
SilentLog silent;

struct Line {
    ManualClock clock{Instant{1'800'000'000'000'000}};
    EventId event = EventId::make(clock.now(), dice);
    GenerationId generation = GenerationId::make(clock.now(), dice);
    Rules rules;

    AccountId fan() { return AccountId::make(clock.now(), dice); }
    IdBytes id() { return make_id_bytes(clock.now(), dice); }
    MessageId message() { return MessageId::make(clock.now(), dice); }
    Join join_of(const AccountId& who, std::uint64_t position = 0, IdBytes receipt = {}) {
        Join join;
        join.event = event;
        join.account = who;
        join.place = {7, 0, position, 0};
        join.end_of_line = {7, 0, 0, 0};
        join.receipt = receipt;
        return join;
    }
};

struct Process {
    Line& of;
    std::unique_ptr<Redis> redis;
    RedisLines lines;
    Process(RunLoop& loop, const RedisServer& server, Line& line, std::string name)
        : of(line), redis(must(connect_redis(loop, dice, server.options(), silent))),
          lines(*redis, {.holder = std::move(name), .clock = &line.clock}) {}

    Task<> begin(std::int64_t threshold, MessageId awaits = {}) {
        HallRecord hall;
        hall.epoch = 7;
        hall.awaits = awaits;
        hall.levers.threshold = threshold;
        (void)must(co_await lines.open(Context{}, of.generation, of.message()));
        (void)must(co_await lines.begin_hall(Context{}, of.event, hall));
    }
    // Lets in whom it sees waiting, as many as it likes: the script knows better.
    Task<Result<std::vector<Admission>>> admit_all() {
        const auto members = TRY(co_await lines.line(Context{}, of.event));
        std::vector<Admission> admitted;
        std::vector<MessageId> messages;
        for (const auto& [account, member] : members) {
            if (member.state != MemberState::waiting) continue;
            admitted.push_back({account, member.place.arrival, of.id(), of.clock.now(),
                                of.clock.now() + of.rules.active});
            messages.push_back(of.message());
        }
        co_return co_await lines.admit(Context{}, of.generation, of.event, of.rules,
                                       std::move(admitted), std::move(messages));
    }
    Task<bool> turn() {
        (void)must(co_await lines.open(Context{}, of.generation, of.message()));
        co_return must(co_await lines.take_turn(Context{}, of.event, seconds(60), of.message()));
    }
};

Task<> answers_again(Redis& redis) {
    while (!co_await redis.command(Context{}, Command{"PING"}))
        (void)co_await sleep(Context{}, milliseconds(20));
}

TEST(SharedLines, never_let_in_more_than_the_threshold_and_one_process_at_a_time) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one"), two(loop, server, line, "two");
        co_await one.begin(5);
        for (std::uint64_t i = 1; i <= 20; ++i) {
            Process& asked = i % 2 ? one : two;
            (void)must(
                co_await asked.lines.join(Context{}, line.join_of(line.fan(), i, line.id())));
        }
        EXPECT_TRUE(co_await one.turn());
        EXPECT_FALSE(co_await two.turn());
        EXPECT_EQ(must(co_await one.admit_all()).size(), 5u);
        EXPECT_EQ((co_await two.admit_all()).error().code(), Code::CONFLICT);
        EXPECT_EQ(must(co_await one.admit_all()).size(), 0u);
        // The first one dies: the other takes over, and what the dead one still sends does nothing.
        line.clock.advance(seconds(6));
        EXPECT_TRUE(co_await two.turn());
        Pull wider;
        wider.threshold = 8;
        (void)must(co_await two.lines.pull(
            Context{}, {line.event, line.fan(), wider, "{}", line.message(), line.generation}));
        EXPECT_EQ((co_await one.admit_all()).error().code(), Code::CONFLICT);
        EXPECT_EQ(must(co_await two.admit_all()).size(), 3u);
        // Who is silent is passed over, never dropped.
        wider.threshold = 20;
        (void)must(co_await two.lines.pull(
            Context{}, {line.event, line.fan(), wider, "{}", line.message(), line.generation}));
        line.clock.advance(seconds(46));
        EXPECT_TRUE(co_await two.turn());
        EXPECT_EQ(must(co_await two.admit_all()).size(), 0u);
        std::size_t waiting = 0;
        for (const auto& [account, member] : must(co_await two.lines.line(Context{}, line.event)))
            if (member.state == MemberState::waiting && ++waiting == 1)
                (void)must(co_await one.lines.see(Context{}, line.event, account));
        EXPECT_EQ(waiting, 12u);
        EXPECT_EQ(must(co_await two.admit_all()).size(), 1u);
    });
}

TEST(SharedLines, give_one_account_one_place_and_one_receipt_to_one_account_in_all_processes) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one"), two(loop, server, line, "two");
        co_await one.begin(5);
        const AccountId who = line.fan(), other = line.fan();
        const IdBytes receipt = line.id();
        const Joined first =
            must(co_await one.lines.join(Context{}, line.join_of(who, 9, receipt)));
        const Joined again =
            must(co_await two.lines.join(Context{}, line.join_of(who, 1, line.id())));
        EXPECT_EQ(again.place, first.place);
        EXPECT_EQ(
            (co_await two.lines.join(Context{}, line.join_of(other, 9, receipt))).error().code(),
            Code::VWR_TOKEN_SPENT);
        // What one does the other follows, by what changed alone.
        const auto all = must(co_await two.lines.follow(Context{}, line.event, 0, {}));
        EXPECT_TRUE(all.whole);
        (void)must(co_await one.lines.end(Context{}, line.generation, line.event, who,
                                          EndReason::left, line.message()));
        const auto news = must(co_await two.lines.follow(Context{}, line.event, all.version, {}));
        EXPECT_FALSE(news.whole);
        EXPECT_EQ(news.members.size(), 1u);
        EXPECT_EQ(news.members.at(0).member.state, MemberState::ended);
        // Coming again he stands behind everybody.
        (void)must(co_await one.lines.join(Context{}, line.join_of(other, 30, line.id())));
        const Joined last = must(co_await two.lines.join(Context{}, line.join_of(who, 9, receipt)));
        EXPECT_EQ(last.place.position, 30u);
    });
}

TEST(SharedLines, of_a_redis_that_was_emptied_are_recovering_until_they_begin_anew) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one");
        co_await one.begin(5);
        const AccountId who = line.fan();
        (void)must(co_await one.lines.join(Context{}, line.join_of(who, 1, line.id())));
        EXPECT_TRUE(co_await one.turn());
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        EXPECT_EQ((co_await one.lines.see(Context{}, line.event, who)).error().code(),
                  Code::QUEUE_RECOVERING);
        EXPECT_EQ((co_await one.lines.join(Context{}, line.join_of(who, 1))).error().code(),
                  Code::QUEUE_RECOVERING);
        EXPECT_EQ((co_await one.lines.follow(Context{}, line.event, 1, {})).error().code(),
                  Code::QUEUE_RECOVERING);
        const GenerationId fresh = GenerationId::make(line.clock.now(), dice);
        EXPECT_EQ(must(co_await one.lines.open(Context{}, fresh, line.message())).id, fresh);
    });
}

// What a turn of the life before still sends does nothing in the next, whatever numbers it had.
TEST(SharedLines, give_no_fence_twice_though_redis_was_emptied) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one"), two(loop, server, line, "two");
        co_await one.begin(5);
        EXPECT_TRUE(co_await one.turn());
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        line.clock.advance(milliseconds(1));
        co_await two.begin(5);
        EXPECT_TRUE(co_await two.turn());
        (void)must(co_await two.lines.join(Context{}, line.join_of(line.fan(), 1, line.id())));
        EXPECT_EQ((co_await one.admit_all()).error().code(), Code::CONFLICT);
        EXPECT_EQ(must(co_await two.admit_all()).size(), 1u);
        // Who has never had a turn does nothing either, nor who could not ask for it.
        Process three(loop, server, line, "three");
        (void)must(co_await three.lines.join(Context{}, line.join_of(line.fan(), 2, line.id())));
        EXPECT_EQ((co_await three.admit_all()).error().code(), Code::CONFLICT);
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        EXPECT_FALSE(
            co_await two.lines.take_turn(Context{}, line.event, seconds(60), line.message()));
        EXPECT_FALSE(two.lines.has_turn(line.event));
    });
}

TEST(SharedLines, begin_a_generation_where_the_server_was_another) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one"), two(loop, server, line, "two");
        const auto open = [&](Process& at) -> Task<GenerationId> {
            const GenerationId fresh = GenerationId::make(line.clock.now(), dice);
            co_return must(co_await at.lines.open(Context{}, fresh, line.message())).id;
        };
        co_await one.begin(5);
        EXPECT_EQ(co_await open(one), line.generation);
        EXPECT_EQ(co_await open(two), line.generation);
        (void)must(co_await one.lines.note_log_read(Context{}));
        server.kill_nine();
        server.start();
        co_await answers_again(*one.redis);
        co_await answers_again(*two.redis);
        const GenerationId next = co_await open(one);
        EXPECT_NE(next, line.generation);
        EXPECT_EQ(co_await open(two), next);
        EXPECT_FALSE(must(co_await one.lines.open(Context{}, next, line.message())).log_read);
    });
}

TEST(SharedLines, that_another_process_began_anew_are_lost_to_whoever_has_not_heard_of_it) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one"), two(loop, server, line, "two");
        co_await one.begin(5);
        co_await two.begin(5);
        const AccountId who = line.fan();
        (void)must(co_await two.lines.join(Context{}, line.join_of(who, 1, line.id())));
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        line.generation = GenerationId::make(line.clock.now(), dice);
        const MessageId awaited = line.message();
        co_await one.begin(5, awaited);
        EXPECT_FALSE(must(co_await one.lines.see(Context{}, line.event, who)));
        EXPECT_EQ((co_await two.lines.see(Context{}, line.event, who)).error().code(),
                  Code::QUEUE_RECOVERING);
        EXPECT_EQ((co_await two.lines.follow(Context{}, line.event, 1, {})).error().code(),
                  Code::QUEUE_RECOVERING);
        // What the new life awaits is noted all the same, or nobody would ever be let in.
        EXPECT_EQ(must(co_await one.lines.hall(Context{}, line.event))->awaits, awaited);
        EXPECT_TRUE(must(co_await two.lines.note_awaited(Context{}, line.event, awaited)));
        co_await two.begin(5);
        EXPECT_FALSE(must(co_await two.lines.see(Context{}, line.event, who)));
        EXPECT_FALSE(must(co_await one.lines.see(Context{}, line.event, who)));
    });
}

TEST(SharedLines, let_nobody_in_for_a_while_after_the_server_was_another) {
    RedisServer server;
    Line line;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, line, "one");
        co_await one.begin(5);
        (void)must(co_await one.lines.join(Context{}, line.join_of(line.fan(), 1, line.id())));
        EXPECT_TRUE(co_await one.turn());
        server.kill_nine();
        server.start();
        co_await answers_again(*one.redis);
        // What was sent under the turn of the life before does nothing.
        EXPECT_EQ((co_await one.admit_all()).error().code(), Code::CONFLICT);
        EXPECT_TRUE(co_await one.turn());
        EXPECT_EQ(must(co_await one.admit_all()).size(), 0u);
        const auto told = [&](RedisServer& by) {
            const std::string all = by.say({"XRANGE", LineKeys(line.event).outbox(), "-", "+"});
            int times = 0;
            for (std::size_t at = all.find("HallBegun"); at != all.npos;
                 at = all.find("HallBegun", at + 1))
                ++times;
            return times;
        };
        const int told_before = told(server);
        for (int i = 0; i < 6; ++i) {
            line.clock.advance(seconds(10));
            EXPECT_TRUE(co_await one.turn());
            for (const auto& [account, member] :
                 must(co_await one.lines.line(Context{}, line.event)))
                (void)must(co_await one.lines.see(Context{}, line.event, account));
        }
        // Nor before the log was read: it may know of levers that this server does not.
        EXPECT_EQ(must(co_await one.admit_all()).size(), 0u);
        EXPECT_GE(told(server), told_before + 2) << "it is told again until it was read";
        const MessageId awaited = must(co_await one.lines.hall(Context{}, line.event))->awaits;
        EXPECT_FALSE(must(co_await one.lines.note_awaited(Context{}, line.event, line.message())));
        EXPECT_TRUE(must(co_await one.lines.note_awaited(Context{}, line.event, awaited)));
        EXPECT_EQ(must(co_await one.admit_all()).size(), 1u);
    });
}

} // namespace
} // namespace urr::queue
