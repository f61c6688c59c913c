// Tries of auth: what both engines promise, then what several processes see of one another when
// Redis is there, lost, hanging, or emptied.
#include <gtest/gtest.h>

#include "services/auth/shared_throttles.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::auth {
namespace {

SystemRandom dice;
SilentLog silent;
constexpr SecretKey secret{7};
constexpr ThrottleRules rules{{3, minutes(1)}, {20, minutes(1)}, {2, minutes(1)}};

// One process of auth.
struct Process {
    std::unique_ptr<Redis> redis;
    Counter alone;
    std::unique_ptr<Throttles> throttles;

    Process() : throttles(std::make_unique<Throttles>(rules, secret)) {}
    // Its client alone would wait for an hour; and a busy machine is not to be taken for a Redis
    // that hangs.
    Process(RunLoop& loop, const RedisServer& server, Duration patience = seconds(60)) {
        RedisOptions options = server.options();
        options.connect_timeout = seconds(60);
        options.command_timeout = hours(1);
        redis = must(connect_redis(loop, dice, options, silent));
        throttles =
            std::make_unique<SharedThrottles>(rules, secret, *redis, silent, alone, patience);
    }
    ~Process() { throttles.reset(); }

    Task<int> passwords(int tries, std::string email, Address client = address(1)) {
        int allowed = 0;
        for (int i = 0; i < tries; ++i)
            allowed += bool(co_await throttles->try_password(Context{}, email, client));
        co_return allowed;
    }
    static Address address(int last) { return *Address::parse("192.0.2." + std::to_string(last)); }
};

Task<> pass(Duration time) { (void)co_await sleep(Context{}, time); }

class Tries : public testing::TestWithParam<bool> {
protected:
    void with(const std::function<Task<>(Process&)>& test) {
        std::unique_ptr<RedisServer> server;
        if (GetParam()) server = std::make_unique<RedisServer>();
        on_loop([&](RunLoop& loop) -> Task<> {
            if (server) {
                Process process(loop, *server);
                co_await test(process);
                EXPECT_EQ(process.alone.value(), 0u);
            } else {
                Process process;
                co_await test(process);
            }
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Tries, testing::Bool(),
                         [](const auto& info) { return info.param ? "redis" : "embedded"; });

TEST_P(Tries, are_bounded_per_account_and_per_address_and_say_when_again) {
    with([](Process& auth) -> Task<> {
        EXPECT_EQ(co_await auth.passwords(5, "a@x"), 3);
        const auto refused =
            co_await auth.throttles->try_password(Context{}, "a@x", Process::address(9));
        EXPECT_EQ(refused.error().code(), Code::RATE_LIMITED);
        EXPECT_GT(refused.error().retry_after_s(), 10); // the minute of the first has begun
        EXPECT_LE(refused.error().retry_after_s(), 60);
        // Who is refused for the account has not counted for the address: 17 are left.
        int allowed = 0;
        for (int i = 0; i < 30; ++i) allowed += co_await auth.passwords(1, std::to_string(i));
        EXPECT_EQ(allowed, 17);
        EXPECT_FALSE(co_await auth.throttles->try_register(Context{}, Process::address(1)));
        EXPECT_TRUE(co_await auth.throttles->try_register(Context{}, Process::address(2)));
    });
}

TEST_P(Tries, that_were_given_back_were_none) {
    with([](Process& auth) -> Task<> {
        for (int i = 0; i < 40; ++i) {
            const auto attempt =
                co_await auth.throttles->try_password(Context{}, "a@x", Process::address(1));
            EXPECT_TRUE(attempt) << i;
            if (attempt) auth.throttles->give_back(*attempt);
        }
        EXPECT_EQ(co_await auth.passwords(5, "a@x"), 3); // none was gained either
    });
}

TEST_P(Tries, for_mails_are_counted_apart) {
    with([](Process& auth) -> Task<> {
        EXPECT_TRUE(co_await auth.throttles->try_mail(Context{}, "a@x"));
        EXPECT_TRUE(co_await auth.throttles->try_mail(Context{}, "a@x"));
        EXPECT_FALSE(co_await auth.throttles->try_mail(Context{}, "a@x"));
        EXPECT_TRUE(co_await auth.throttles->try_mail(Context{}, "b@x"));
        EXPECT_EQ(co_await auth.passwords(5, "a@x"), 3);
    });
}

TEST(SharedTries, are_counted_over_all_processes_together) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server), two(loop, server), three(loop, server);
        int allowed = 0;
        for (int i = 0; i < 4; ++i)
            for (Process* auth : {&one, &two, &three})
                allowed += co_await auth->passwords(1, "a@x");
        EXPECT_EQ(allowed, 3);
        // Given back by whom it was counted, another process may make it.
        auto attempt = co_await one.throttles->try_password(Context{}, "b@x", Process::address(1));
        EXPECT_EQ(co_await two.passwords(3, "b@x"), 2);
        one.throttles->give_back(must(std::move(attempt)));
        must(co_await one.redis->command(Context{}, Command{"PING"})); // it has come there by now
        EXPECT_EQ(co_await three.passwords(3, "b@x"), 1);
        EXPECT_EQ(one.alone.value() + two.alone.value() + three.alone.value(), 0u);
    });
    // Nothing in Redis tells whose they are, and all of it goes by itself.
    const std::string keys = server.say({"KEYS", "*"});
    EXPECT_EQ(keys.find("@x"), std::string::npos) << keys;
    EXPECT_NE(keys.find("{auth-tries}:account:"), std::string::npos) << keys;
    const std::string key = keys.substr(0, keys.find('\n'));
    EXPECT_GT(std::stoi(server.say({"PTTL", key})), 0) << key;
}

TEST(SharedTries, go_on_at_the_same_rate_in_each_process_while_redis_is_away) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server), two(loop, server);
        EXPECT_EQ(co_await one.passwords(2, "a@x"), 2);
        server.kill_nine();
        EXPECT_EQ(co_await one.passwords(5, "a@x"), 1); // it remembers its own two
        EXPECT_EQ(co_await two.passwords(5, "a@x"), 3);
        EXPECT_GE(one.alone.value(), 1u);
        server.forget_all();
        server.start();
        while (!one.redis->is_up() || !two.redis->is_up()) co_await pass(milliseconds(10));
        EXPECT_EQ(co_await one.passwords(3, "a@x"), 0); // emptied: what it saw still counts
        EXPECT_EQ(co_await one.passwords(2, "b@x"), 2);
        EXPECT_EQ(co_await two.passwords(3, "b@x"), 1); // and they count together again
    });
}

TEST(SharedTries, do_not_wait_long_for_a_redis_that_hangs) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process auth(loop, server, SharedThrottles::usual_patience);
        EXPECT_EQ(co_await auth.passwords(1, "a@x"), 1);
        server.pause(true);
        EXPECT_EQ(co_await auth.passwords(5, "a@x"), 2);
        EXPECT_GE(auth.alone.value(), 1u);
        server.pause(false);
    });
}

// It went out and may have been counted: were it given back, whoever guesses might gain a try.
TEST(SharedTries, that_may_have_been_counted_are_not_given_back_to_the_others) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        Process one(loop, server, seconds(3)), two(loop, server);
        EXPECT_EQ(co_await one.passwords(1, "warm@x"), 1);
        EXPECT_EQ(co_await two.passwords(1, "warm@x"), 1);
        server.pause(true);
        const Try attempt =
            must(co_await one.throttles->try_password(Context{}, "a@x", Process::address(1)));
        EXPECT_FALSE(attempt.is_shared);
        EXPECT_EQ(one.alone.value(), 1u);
        server.pause(false);
        one.throttles->give_back(attempt);
        must(co_await one.redis->command(Context{}, Command{"PING"})); // it has come there by now
        EXPECT_EQ(co_await one.passwords(1, "a@x"), 1);                // here it was given back
        EXPECT_EQ(co_await two.passwords(3, "a@x"), 1);
    });
}

} // namespace
} // namespace urr::auth
