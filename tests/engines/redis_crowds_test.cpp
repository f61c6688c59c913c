// Signs of life and joins of many callers on a real Redis: they go out together, each is answered
// for itself and as if it had come alone.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::queue {
namespace {

SystemRandom dice;
SilentLog silent;
const EventId event = EventId::make(Instant{1'800'000'000'000'000}, dice);

AccountId fan() { return AccountId::make(Instant{}, dice); }
IdBytes id() { return make_id_bytes(Instant{}, dice); }
MessageId message() { return MessageId::make(Instant{}, dice); }
Context within(Duration time) {
    Context context;
    context.deadline = Loop::here().now() + time;
    return context;
}
Join join_of(const AccountId& who, std::uint64_t position, const IdBytes& receipt = id(),
             std::uint64_t epoch = 7) {
    Join join;
    join.event = event;
    join.account = who;
    join.place = {epoch, 0, position, 0};
    join.end_of_line = {7, 0, 0, 0};
    join.receipt = receipt;
    return join;
}

struct Crowd {
    std::unique_ptr<Redis> redis;
    RedisLines lines;
    std::vector<Result<Joined>> joined; // in the order of the asking
    std::size_t answered = 0;
    Nursery callers;

    Crowd(RunLoop& loop, const RedisServer& server)
        : redis(must(connect_redis(loop, dice, server.options(), silent))),
          lines(*redis, {.holder = "one"}) {}
    Task<> begin() {
        HallRecord hall;
        hall.epoch = 7;
        (void)must(co_await lines.open(Context{}, GenerationId::make(Instant{}, dice), message()));
        (void)must(co_await lines.begin_hall(Context{}, event, hall));
        // Both scripts are known to the server from here on.
        (void)must(co_await lines.see(Context{}, event, fan()));
    }
    static Task<> ask(Crowd& of, std::size_t index, Context context, Join join) {
        of.joined[index] = co_await of.lines.join(context, std::move(join));
        ++of.answered;
    }
    // All in one turn.
    void send(std::vector<Join> joins, Context context = {}) {
        for (Join& join : joins) {
            joined.emplace_back(fail(Code::INTERNAL, "not answered"));
            callers.spawn(ask(*this, joined.size() - 1, context, std::move(join)));
        }
    }
    Task<> answers() { (void)must(co_await callers.drained(Context{})); }
    Code code(std::size_t index) const {
        return joined[index] ? Code::INTERNAL : joined[index].error().code();
    }
    std::uint64_t arrival(std::size_t index) {
        return must(std::move(joined[index])).place.arrival;
    }
    Task<bool> stands(AccountId who) {
        co_return must(co_await lines.member(Context{}, event, who)).has_value();
    }
    // Once the connection is there again.
    Task<> again() {
        while (!co_await redis->command(Context{}, Command{"PING"}))
            (void)co_await sleep(Context{}, milliseconds(20));
    }
};

TEST(Crowds, of_one_turn_are_one_call_and_each_is_answered_for_itself) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Crowd crowd(loop, server);
        co_await crowd.begin();
        const AccountId a = fan(), b = fan(), c = fan(), gone = fan();
        const IdBytes receipt = id(), other = id();
        (void)must(co_await crowd.lines.join(Context{}, join_of(gone, 40, other)));
        (void)must(co_await crowd.lines.end(Context{}, GenerationId{}, event, gone, EndReason::left,
                                            message()));
        const std::uint64_t calls = crowd.redis->figures().commands.value();
        crowd.send({join_of(a, 9, receipt), join_of(b, 9, receipt), join_of(c, 5, id(), 6),
                    join_of(a, 2), join_of(gone, 40, other), join_of(c, 5)});
        co_await crowd.answers();
        EXPECT_EQ(crowd.redis->figures().commands.value(), calls + 1);
        EXPECT_EQ(crowd.code(1), Code::VWR_TOKEN_SPENT);
        EXPECT_EQ(crowd.code(2), Code::ROOM_CHANGED);
        const Joined first = must(std::move(crowd.joined[0])),
                     last = must(std::move(crowd.joined[4]));
        EXPECT_EQ(first.place.position, 9u);
        EXPECT_EQ(first.receipt, receipt);
        EXPECT_EQ(must(std::move(crowd.joined[3])).place, first.place); // one account, one place
        EXPECT_EQ(last.place.position, 40u);                            // behind everybody so far
        EXPECT_GT(last.place.arrival, first.place.arrival);
        EXPECT_EQ(last.receipt, IdBytes{});
        EXPECT_GT(crowd.arrival(5), last.place.arrival);
        EXPECT_FALSE(co_await crowd.stands(b));
        // Others follow what the call changed by that alone.
        const auto all = must(co_await crowd.lines.follow(Context{}, event, 1, {}));
        EXPECT_FALSE(all.whole);
        EXPECT_EQ(all.version, 5u);
        EXPECT_EQ(all.members.size(), 4u); // his end, and three who joined
    });
}

TEST(Crowds, larger_than_a_call_are_answered_in_their_order) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Crowd crowd(loop, server);
        co_await crowd.begin();
        constexpr std::size_t count = 1000;
        const std::uint64_t calls = crowd.redis->figures().commands.value();
        std::vector<AccountId> who;
        std::vector<Join> joins;
        for (std::size_t i = 0; i < count; ++i) {
            who.push_back(fan());
            joins.push_back(join_of(who.back(), i + 1));
        }
        crowd.send(std::move(joins));
        co_await crowd.answers();
        const std::uint64_t used = crowd.redis->figures().commands.value() - calls;
        EXPECT_GE(used, count / 128);
        EXPECT_LE(used, count / 16);
        std::uint64_t last = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Joined joined = must(std::move(crowd.joined[i]));
            EXPECT_EQ(joined.place.position, i + 1);
            EXPECT_GT(joined.place.arrival, last);
            last = joined.place.arrival;
        }
        // Each sees himself, and a stranger nobody.
        std::size_t found = 0;
        who.push_back(fan());
        for (std::size_t i = 0; i < who.size(); ++i)
            crowd.callers.spawn(
                [](Crowd& of, AccountId account, std::size_t place, std::size_t& out) -> Task<> {
                    const auto member = must(co_await of.lines.see(Context{}, event, account));
                    EXPECT_EQ(member.has_value(), place <= count);
                    if (!member) co_return;
                    EXPECT_EQ(member->place.position, place);
                    ++out;
                }(crowd, who[i], i + 1, found));
        co_await crowd.answers();
        EXPECT_EQ(found, count);
        const auto line = must(co_await crowd.lines.line(Context{}, event));
        EXPECT_EQ(line.size(), count);
    });
}

// A server that stands still: some are on their way, the others wait behind them.
TEST(Crowds, lose_those_whose_deadline_comes_and_nobody_else) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Crowd crowd(loop, server);
        co_await crowd.begin();
        server.pause(true);
        const AccountId sent = fan(), hasty = fan(), patient = fan(), cancelled = fan();
        const std::uint64_t before = crowd.redis->figures().commands.value();
        crowd.send({join_of(sent, 1)}, within(milliseconds(500)));
        while (crowd.redis->figures().commands.value() == before)
            (void)co_await sleep(Context{}, milliseconds(2));
        crowd.send({join_of(hasty, 2)}, within(milliseconds(30)));
        crowd.send({join_of(patient, 3)});
        {
            Nursery leaving; // whoever asked is gone before his turn
            leaving.spawn([](Crowd& of, AccountId who) -> Task<> {
                (void)co_await of.lines.join(Context{}, join_of(who, 4));
            }(crowd, cancelled));
        }
        while (crowd.answered < 2) (void)co_await sleep(Context{}, milliseconds(10));
        server.pause(false);
        co_await crowd.answers();
        EXPECT_EQ(crowd.code(0), Code::OUTCOME_UNKNOWN);   // and it may be done
        EXPECT_EQ(crowd.code(1), Code::DEADLINE_EXCEEDED); // it is not
        EXPECT_EQ(must(std::move(crowd.joined[2])).place.position, 3u);
        EXPECT_TRUE(co_await crowd.stands(sent));
        EXPECT_TRUE(co_await crowd.stands(patient));
        EXPECT_FALSE(co_await crowd.stands(hasty));
        EXPECT_FALSE(co_await crowd.stands(cancelled));
    });
}

TEST(Crowds, hear_all_that_their_redis_was_lost_and_go_on_with_the_next) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Crowd crowd(loop, server);
        co_await crowd.begin();
        server.pause(true);
        std::vector<Join> joins;
        for (std::uint64_t i = 1; i <= 200; ++i) joins.push_back(join_of(fan(), i));
        const std::uint64_t before = crowd.redis->figures().commands.value();
        crowd.send(std::move(joins));
        while (crowd.redis->figures().commands.value() == before)
            (void)co_await sleep(Context{}, milliseconds(2));
        EXPECT_EQ(crowd.answered, 0u);
        server.kill_nine();
        co_await crowd.answers();
        EXPECT_EQ(crowd.code(0), Code::OUTCOME_UNKNOWN);
        for (std::size_t i = 0; i < crowd.joined.size(); ++i)
            EXPECT_FALSE(crowd.joined[i].has_value()) << i;
        server.start();
        co_await crowd.again();
        EXPECT_TRUE((co_await crowd.lines.join(Context{}, join_of(fan(), 7))).has_value());
    });
}

// Another process has begun the line anew; what was asked of the one before is not done in it.
TEST(Crowds, of_a_line_that_was_lost_are_recovering) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Crowd crowd(loop, server), second(loop, server);
        co_await crowd.begin();
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        co_await second.begin();
        crowd.send({join_of(fan(), 1), join_of(fan(), 2)});
        co_await crowd.answers();
        EXPECT_EQ(crowd.code(0), Code::QUEUE_RECOVERING);
        EXPECT_EQ(crowd.code(1), Code::QUEUE_RECOVERING);
        EXPECT_TRUE(must(co_await second.lines.line(Context{}, event)).empty());
    });
}

} // namespace
} // namespace urr::queue
