// Limits of callers: what both engines promise, then what the shared one adds and what it does when
// Redis is lost, hangs, or was emptied.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "services/gateway/shared_limiter.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::gateway {
namespace {

SystemRandom dice;
SilentLog silent;

// One gateway's view of the limits.
struct View {
    std::unique_ptr<Redis> redis;
    std::shared_ptr<LimitFigures> figures = std::make_shared<LimitFigures>();
    std::unique_ptr<RateLimits> limits;

    View() : limits(std::make_unique<Limiter>()) {}
    // Its client alone would wait for an hour; and a busy machine is not to be taken for a Redis
    // that hangs.
    View(RunLoop& loop, const RedisServer& server, Duration patience = seconds(60)) {
        RedisOptions options = server.options();
        options.connect_timeout = seconds(60);
        options.command_timeout = hours(1);
        redis = must(connect_redis(loop, dice, options, silent));
        limits = std::make_unique<SharedLimiter>(*redis, silent, figures, patience);
    }

    Task<bool> allows(std::uint64_t caller, std::int64_t limit, Instant now) {
        while (!limits->ready(caller, limit, now))
            co_await limits->prepare(Context{}, caller, limit, now);
        co_return limits->count(caller, limit, now).allowed;
    }
    Task<int> allowed_of(int asked, std::uint64_t caller, std::int64_t limit, Instant now) {
        int allowed = 0;
        for (int i = 0; i < asked; ++i) allowed += co_await allows(caller, limit, now);
        co_return allowed;
    }
};

constexpr Instant minute{1'800'000'000'000'000}; // the beginning of one

class Limits : public testing::TestWithParam<bool> {
protected:
    void with(const std::function<Task<>(View&)>& test) {
        std::unique_ptr<RedisServer> server;
        if (GetParam()) server = std::make_unique<RedisServer>();
        on_loop([&](RunLoop& loop) -> Task<> {
            View view = server ? View(loop, *server) : View();
            co_await test(view);
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Limits, testing::Bool(),
                         [](const auto& info) { return info.param ? "redis" : "embedded"; });

TEST_P(Limits, hold_for_each_caller_and_tell_what_is_left) {
    with([](View& view) -> Task<> {
        EXPECT_EQ(co_await view.allowed_of(60, 1, 40, minute), 40);
        EXPECT_EQ(co_await view.allowed_of(5, 2, 40, minute), 5);
        EXPECT_EQ(view.limits->count(1, 40, minute).remaining, 0);
        EXPECT_GT(view.limits->count(1, 40, minute).reset_seconds, 50);
        EXPECT_EQ(co_await view.allowed_of(3, 3, 1, minute), 1);
    });
}

TEST_P(Limits, come_back_as_the_minute_slides_on) {
    with([](View& view) -> Task<> {
        EXPECT_EQ(co_await view.allowed_of(50, 1, 40, minute), 40);
        EXPECT_EQ(co_await view.allowed_of(50, 1, 40, minute + seconds(59)), 0);
        EXPECT_EQ(co_await view.allowed_of(50, 1, 40, minute + seconds(90)), 20);
        EXPECT_EQ(co_await view.allowed_of(50, 1, 40, minute + seconds(300)), 40);
    });
}

TEST_P(Limits, of_any_minute_hold_for_random_arrivals) {
    const std::uint64_t seed = dice.next();
    SCOPED_TRACE("seed " + std::to_string(seed));
    with([seed](View& view) -> Task<> {
        SeededRandom random(seed);
        Instant now = minute;
        std::vector<Instant> passed;
        for (int i = 0; i < 4'000; ++i) {
            now = now + milliseconds(std::int64_t(random.below(300)));
            if (co_await view.allows(1, 50, now)) passed.push_back(now);
        }
        std::size_t most = 0;
        for (std::size_t first = 0, last = 0; last < passed.size(); ++last) {
            while (passed[last] - passed[first] >= minutes(1)) ++first;
            most = std::max(most, last - first + 1);
        }
        EXPECT_GE(most, 45u);
        EXPECT_LE(most, 75u); // weighed windows: never twice the limit for steady arrivals
    });
}

TEST(SharedLimits, hold_over_all_gateways_together) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        View one(loop, server), two(loop, server), three(loop, server);
        int allowed = 0;
        for (int i = 0; i < 100; ++i)
            for (View* view : {&one, &two, &three})
                allowed += co_await view->allows(7, 100, minute);
        EXPECT_EQ(allowed, 100);
        // A twentieth at a time: nobody asks for each request, nobody holds much.
        const auto leases = one.figures->leases.value() + two.figures->leases.value() +
                            three.figures->leases.value();
        EXPECT_EQ(leases, 20u);
        EXPECT_EQ(one.figures->local.value(), 0u);
    });
}

TEST(SharedLimits, are_asked_for_once_however_many_of_a_caller_wait) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        View view(loop, server);
        (void)must(co_await view.redis->command(Context{}, Command{"PING"}));
        static constexpr auto ask = [](View& of, int& allowed) -> Task<> {
            allowed += co_await of.allows(7, 200, minute);
        };
        int allowed = 0;
        Nursery tasks;
        for (int i = 0; i < 30; ++i) tasks.spawn(ask(view, allowed));
        EXPECT_TRUE(co_await tasks.drained(Context{}));
        EXPECT_EQ(allowed, 30);
        EXPECT_EQ(view.figures->leases.value(), 3u);
        EXPECT_EQ(view.figures->local.value(), 0u);
    });
}

TEST(SharedLimits, fall_back_to_this_gateways_count_while_redis_is_away_or_hangs) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        View view(loop, server, SharedLimiter::usual_patience);
        EXPECT_EQ(co_await view.allowed_of(10, 7, 20, minute), 10);
        server.pause(true); // nobody waits for it longer than the patience
        EXPECT_EQ(co_await view.allowed_of(15, 7, 20, minute), 10); // nobody begins anew
        EXPECT_GT(view.figures->local.value(), 0u);
        server.pause(false);
        server.kill_nine();
        EXPECT_EQ(co_await view.allowed_of(30, 8, 20, minute), 20);
        server.start();
        const std::uint64_t leases = view.figures->leases.value();
        for (std::uint64_t caller = 100; view.figures->leases.value() == leases; ++caller) {
            EXPECT_TRUE(co_await view.allows(caller, 20, minute));
            (void)co_await sleep(Context{}, milliseconds(20));
        }
    });
}

TEST(SharedLimits, of_a_redis_that_was_emptied_begin_anew_but_for_what_each_gateway_saw) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        View view(loop, server), other(loop, server);
        EXPECT_EQ(co_await view.allowed_of(50, 7, 20, minute), 20);
        EXPECT_EQ(co_await other.allowed_of(50, 7, 20, minute), 0);
        EXPECT_EQ(server.say({"FLUSHALL"}), "OK");
        const Instant later = minute + seconds(1);
        EXPECT_EQ(co_await view.allowed_of(50, 7, 20, later), 0);
        EXPECT_EQ(co_await other.allowed_of(50, 7, 20, later), 20);
    });
}

} // namespace
} // namespace urr::gateway
