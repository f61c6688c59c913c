// Revoked entry tokens: what both engines promise, and what several processes see of one another
// when Redis is there, away, or emptied.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/contract/shared_revoked_entries.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr {
namespace {

SystemRandom dice;
SilentLog silent;

struct Process {
    std::unique_ptr<Redis> redis;
    SharedRevokedEntries revoked;
    Nursery jobs;
    Process(RunLoop& loop, const RedisServer& server, const Clock& clock)
        : redis(must(connect_redis(loop, dice, server.options(), silent))), revoked(*redis, clock) {
        jobs.spawn(revoked.run());
    }
};

struct Sample {
    ManualClock clock{Instant{1'800'000'000'000'000}};
    EventId event = EventId::make(clock.now(), dice), other = EventId::make(clock.now(), dice);
    IdBytes token() { return make_id_bytes(clock.now(), dice); }
    Instant in(int seconds_long) const { return clock.now() + seconds(seconds_long); }
};

Task<> until(std::function<bool()> holds) {
    while (!holds()) (void)co_await sleep(Context{}, milliseconds(5));
}

class Revoked : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engines, Revoked, testing::Bool(),
                         [](const auto& info) { return info.param ? "redis" : "embedded"; });

TEST_P(Revoked, are_known_at_once_of_their_event_alone_and_forgotten_when_expired) {
    Sample sample;
    const auto test = [&](RevokedEntries& revoked) {
        const IdBytes token = sample.token(), later = sample.token();
        EXPECT_FALSE(revoked.is_revoked(sample.event, token));
        revoked.revoke(sample.event, token, sample.in(10));
        revoked.revoke(sample.event, later, sample.in(100));
        EXPECT_TRUE(revoked.is_revoked(sample.event, token));
        EXPECT_FALSE(revoked.is_revoked(sample.other, token));
        revoked.prune(sample.in(10));
        EXPECT_FALSE(revoked.is_revoked(sample.event, token));
        EXPECT_TRUE(revoked.is_revoked(sample.event, later));
    };
    if (!GetParam()) {
        RevokedEntries revoked;
        test(revoked);
        return;
    }
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process process(loop, server, sample.clock);
        test(process.revoked);
        co_return;
    });
}

TEST(SharedRevoked, are_heard_by_other_processes_and_read_by_those_that_begin_later) {
    RedisServer server;
    Sample sample;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process queue(loop, server, sample.clock), ticket(loop, server, sample.clock);
        EXPECT_TRUE(co_await ticket.revoked.read(Context{}));
        std::vector<IdBytes> tokens;
        for (int i = 0; i < 200; ++i) {
            tokens.push_back(sample.token());
            queue.revoked.revoke(i % 2 ? sample.event : sample.other, tokens.back(),
                                 sample.in(60 + i));
        }
        const auto knows_all = [&](const Process& one) {
            for (int i = 0; i < 200; ++i)
                if (!one.revoked.is_revoked(i % 2 ? sample.event : sample.other, tokens[i]))
                    return false;
            return true;
        };
        co_await until([&] { return knows_all(ticket); });
        Process late(loop, server, sample.clock);
        EXPECT_TRUE(co_await late.revoked.read(Context{}));
        EXPECT_TRUE(knows_all(late));
        // What has expired is nobody's burden.
        sample.clock.advance(seconds(100));
        Process later(loop, server, sample.clock);
        EXPECT_TRUE(co_await later.revoked.read(Context{}));
        EXPECT_FALSE(later.revoked.is_revoked(sample.event, tokens[39]));
        EXPECT_TRUE(later.revoked.is_revoked(sample.event, tokens[41]));
    });
}

TEST(SharedRevoked, survive_a_redis_that_was_away_and_came_back_empty) {
    RedisServer server;
    Sample sample;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process queue(loop, server, sample.clock), ticket(loop, server, sample.clock);
        const IdBytes before = sample.token(), meanwhile = sample.token();
        EXPECT_TRUE(co_await queue.revoked.read(Context{}));
        EXPECT_TRUE(co_await ticket.revoked.read(Context{}));
        queue.revoked.revoke(sample.event, before, sample.in(60));
        co_await until([&] { return ticket.revoked.is_revoked(sample.event, before); });
        server.kill_nine();
        queue.revoked.revoke(sample.event, meanwhile, sample.in(60));
        EXPECT_TRUE(queue.revoked.is_revoked(sample.event, meanwhile));
        server.forget_all();
        server.start();
        co_await until([&] { return ticket.revoked.is_revoked(sample.event, meanwhile); });
        EXPECT_TRUE(ticket.revoked.is_revoked(sample.event, before));
        bool told = false;
        while (!told) { // and whoever begins now knows both
            Process fresh(loop, server, sample.clock);
            (void)co_await fresh.revoked.read(Context{});
            told = fresh.revoked.is_revoked(sample.event, before) &&
                   fresh.revoked.is_revoked(sample.event, meanwhile);
        }
    });
}

} // namespace
} // namespace urr
