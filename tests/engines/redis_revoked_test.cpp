// Revoked entry tokens and ended sessions: what both engines promise, and what several processes
// see of one another when Redis is there, away, or emptied.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/contract/ended_sessions.hpp"
#include "libs/contract/revoked_entries.hpp"
#include "libs/contract/shared_revoked_ids.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr {
namespace {

SystemRandom dice;
SilentLog silent;

struct Process {
    std::unique_ptr<Redis> redis;
    RevokedEntries revoked;
    EndedSessions ended;
    SharedRevokedIds shared_revoked, shared_ended;
    Nursery jobs;
    Process(RunLoop& loop, const RedisServer& server, const Clock& clock)
        : redis(must(connect_redis(loop, dice, server.options(), silent))),
          shared_revoked(*redis, clock, revoked), shared_ended(*redis, clock, ended) {
        jobs.spawn(shared_revoked.run());
        jobs.spawn(shared_ended.run());
    }
    Task<Result<void>> read() {
        TRY(co_await shared_revoked.read(Context{}));
        co_return co_await shared_ended.read(Context{});
    }
};

struct Sample {
    ManualClock clock{Instant{1'800'000'000'000'000}};
    EventId event = EventId::make(clock.now(), dice), other = EventId::make(clock.now(), dice);
    IdBytes token() { return make_id_bytes(clock.now(), dice); }
    SessionId session() { return SessionId::make(clock.now(), dice); }
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

TEST_P(Revoked, sessions_are_known_at_once_and_forgotten_when_their_tokens_have_expired) {
    Sample sample;
    const auto test = [&](EndedSessions& ended) {
        const SessionId session = sample.session(), later = sample.session();
        EXPECT_FALSE(ended.has_ended(session));
        EXPECT_FALSE(ended.has_ended(SessionId{}));
        ended.end(session, sample.in(10));
        ended.end(later, sample.in(100));
        ended.end(later, sample.in(5)); // never sooner than was said before
        EXPECT_TRUE(ended.has_ended(session));
        EXPECT_FALSE(ended.has_ended(sample.session()));
        EXPECT_FALSE(ended.has_ended(SessionId{}));
        ended.prune(sample.in(10));
        EXPECT_FALSE(ended.has_ended(session));
        EXPECT_TRUE(ended.has_ended(later));
    };
    if (!GetParam()) {
        EndedSessions ended;
        test(ended);
        return;
    }
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process process(loop, server, sample.clock);
        test(process.ended);
        co_return;
    });
}

TEST(SharedRevoked, are_heard_by_other_processes_and_read_by_those_that_begin_later) {
    RedisServer server;
    Sample sample;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process queue(loop, server, sample.clock), ticket(loop, server, sample.clock);
        EXPECT_TRUE(co_await ticket.read());
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
        EXPECT_TRUE(co_await late.read());
        EXPECT_TRUE(knows_all(late));
        // What has expired is nobody's burden.
        sample.clock.advance(seconds(100));
        Process later(loop, server, sample.clock);
        EXPECT_TRUE(co_await later.read());
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
        EXPECT_TRUE(co_await queue.read());
        EXPECT_TRUE(co_await ticket.read());
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
            (void)co_await fresh.read();
            told = fresh.revoked.is_revoked(sample.event, before) &&
                   fresh.revoked.is_revoked(sample.event, meanwhile);
        }
    });
}

TEST(SharedSessions, that_end_are_refused_by_every_gateway_also_by_one_that_begins_later) {
    RedisServer server;
    Sample sample;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process auth(loop, server, sample.clock), gateway(loop, server, sample.clock);
        Process other(loop, server, sample.clock);
        std::vector<SessionId> sessions;
        for (int i = 0; i < 200; ++i) {
            sessions.push_back(sample.session());
            auth.ended.end(sessions.back(), sample.in(60 + i));
        }
        const auto knows_all = [&](const Process& one) {
            return std::ranges::all_of(
                sessions, [&](const SessionId& session) { return one.ended.has_ended(session); });
        };
        co_await until([&] { return knows_all(gateway) && knows_all(other); });
        Process late(loop, server, sample.clock);
        EXPECT_TRUE(co_await late.read());
        EXPECT_TRUE(knows_all(late));
        EXPECT_TRUE(late.revoked.known().empty()); // entries are something else
        // What has expired is nobody's burden: not a process's, and not Redis's.
        sample.clock.advance(seconds(100));
        Process later(loop, server, sample.clock);
        EXPECT_TRUE(co_await later.read());
        EXPECT_EQ(later.ended.known().size(), 159u);
        co_await until([&] { return gateway.ended.known().size() == 159; }); // it prunes
        const SessionId last = sample.session();
        auth.ended.end(last, sample.in(60));
        co_await until([&] { return other.ended.has_ended(last); });
        EXPECT_EQ(server.say({"ZCARD", "ended-sessions:ids"}), "160");
    });
}

// More than one answer of Redis may hold: a crowd that was logged out.
TEST(SharedSessions, are_read_though_they_are_very_many) {
    RedisServer server;
    Sample sample;
    const std::string until = std::to_string(sample.in(60).us);
    EXPECT_EQ(server.say({"EVAL", R"lua(
for i = 1, 340000 do
    redis.call("ZADD", KEYS[1], ARGV[1], string.format("00000000-0000-7000-8000-%012x", i))
end
return redis.call("ZADD", KEYS[2], ARGV[1], "00000000-0000-0000-0000-000000000000"))lua",
                          "2", "ended-sessions:ids", "ended-sessions:groups", until}),
              "1");
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto redis = must(connect_redis(loop, dice, server.options(), silent));
        EndedSessions ended;
        SharedRevokedIds shared(*redis, sample.clock, ended);
        EXPECT_TRUE(co_await shared.read(Context{}));
        EXPECT_EQ(ended.known().size(), 340'000u);
    });
}

TEST(SharedSessions, are_told_when_a_redis_that_was_away_at_the_start_is_there) {
    RedisServer server;
    Sample sample;
    server.kill_nine();
    on_loop([&](RunLoop& loop) -> Task<> {
        Process auth(loop, server, sample.clock), gateway(loop, server, sample.clock);
        EXPECT_FALSE(co_await gateway.read()); // it serves all the same
        const SessionId session = sample.session();
        auth.ended.end(session, sample.in(60));
        EXPECT_FALSE(gateway.ended.has_ended(session));
        server.start();
        co_await until([&] { return gateway.ended.has_ended(session); });
    });
}

TEST(SharedSessions, survive_a_redis_that_was_away_and_came_back_empty) {
    RedisServer server;
    Sample sample;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process auth(loop, server, sample.clock), gateway(loop, server, sample.clock);
        const SessionId before = sample.session(), meanwhile = sample.session();
        EXPECT_TRUE(co_await auth.read());
        EXPECT_TRUE(co_await gateway.read());
        auth.ended.end(before, sample.in(60));
        co_await until([&] { return gateway.ended.has_ended(before); });
        server.kill_nine();
        auth.ended.end(meanwhile, sample.in(60));
        EXPECT_TRUE(auth.ended.has_ended(meanwhile));
        server.forget_all();
        server.start();
        co_await until([&] { return gateway.ended.has_ended(meanwhile); });
        EXPECT_TRUE(gateway.ended.has_ended(before));
        bool told = false;
        while (!told) { // and whoever begins now knows both
            Process fresh(loop, server, sample.clock);
            (void)co_await fresh.read();
            told = fresh.ended.has_ended(before) && fresh.ended.has_ended(meanwhile);
        }
    });
}

} // namespace
} // namespace urr
