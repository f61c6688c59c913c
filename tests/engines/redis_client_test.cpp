// The client against a real server: what it promises, and what happens when the server is lost,
// hangs, forgets its scripts, hands over to a replica, or is not to be believed.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr {
namespace {

SystemRandom dice;
SilentLog silent;

std::unique_ptr<Redis> connect(RunLoop& loop, RedisOptions options) {
    return must(connect_redis(loop, dice, std::move(options), silent));
}

Context within(Duration duration) {
    Context context;
    context.deadline = Loop::here().now() + duration;
    return context;
}

// Until the condition holds; a test that waits in vain ends by its own time-out.
Task<> until(std::function<bool()> holds) {
    while (!holds()) (void)co_await sleep(Context{}, milliseconds(5));
}

Task<> answers_again(Redis& redis) {
    for (;;) {
        const auto pong = co_await redis.command(within(seconds(2)), Command{"PING"});
        if (pong) co_return;
        (void)co_await sleep(Context{}, milliseconds(20));
    }
}

TEST(RedisClient, sends_what_is_queued_in_one_turn_in_one_write) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto redis = connect(loop, server.options());
        EXPECT_EQ(must(co_await redis->command(Context{}, Command{"SET", "a", "0"})).text, "OK");
        const std::uint64_t before = redis->figures().writes.value();
        static constexpr auto add = [](Redis& to, std::int64_t& sum) -> Task<> {
            sum += must(co_await to.command(Context{}, Command{"INCR", "a"})).integer;
        };
        Nursery tasks;
        std::int64_t sum = 0;
        for (int i = 0; i < 1000; ++i) tasks.spawn(add(*redis, sum));
        EXPECT_TRUE(co_await tasks.drained(within(seconds(60))));
        EXPECT_EQ(sum, 1000 * 1001 / 2);
        EXPECT_EQ(redis->figures().writes.value() - before, 1u);
        const std::string big(3'000'000, 'x'); // through many reads
        (void)must(co_await redis->command(Context{}, Command{"SET", "big", big}));
        EXPECT_EQ(must(co_await redis->command(Context{}, Command{"GET", "big"})).text, big);
    });
}

TEST(RedisClient, runs_scripts_by_their_hash_also_after_the_server_forgot_them) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto redis = connect(loop, server.options());
        const Script script("return {KEYS[1], ARGV[1], tonumber(ARGV[2]) + 1}");
        for (int i = 0; i < 3; ++i) {
            if (i == 2) (void)must(co_await redis->command(Context{}, Command{"SCRIPT", "FLUSH"}));
            const Reply reply = must(co_await redis->run(Context{}, script, {"k"}, {"a", "4"}));
            EXPECT_EQ(reply.items.size(), 3u);
            EXPECT_EQ(reply.items.at(2).integer, 5);
        }
        EXPECT_EQ(redis->figures().loaded.value(), 2u);
        const auto wrong = co_await redis->command(Context{}, Command{"INCR"});
        EXPECT_EQ(wrong.error().code(), Code::BAD_GATEWAY);
    });
}

TEST(RedisClient, believes_only_whom_the_certificate_names) {
    RedisServer server({.tls = true, .password = "hidden-word"});
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto good = connect(loop, server.options());
        EXPECT_EQ(must(co_await good->command(Context{}, Command{"PING"})).text, "PONG");
        const std::string big(1'000'000, 'y');
        (void)must(co_await good->command(Context{}, Command{"SET", "big", big}));
        EXPECT_EQ(must(co_await good->command(Context{}, Command{"GET", "big"})).text, big);
        RedisOptions named = server.options();
        named.servers[0].host = "localhost";
        const auto by_name = connect(loop, named);
        EXPECT_TRUE(co_await by_name->command(Context{}, Command{"PING"}));

        RedisOptions other_name = server.options(), other_chain = server.options();
        RedisOptions plain = server.options(), no_word = server.options();
        other_name.servers[0].host = "127.0.0.2"; // the same server, not in its certificate
        other_chain.ca_file = "";                 // the system's authorities
        plain.tls = false;
        no_word.password = "wrong";
        for (RedisOptions* options : {&other_name, &other_chain, &plain, &no_word}) {
            const auto redis = connect(loop, *options);
            const auto answer = co_await redis->command(within(seconds(60)), Command{"PING"});
            EXPECT_EQ(answer.error().code(), Code::UNAVAILABLE);
            EXPECT_EQ(answer.error().text().find("hidden-word"), std::string_view::npos);
            EXPECT_FALSE(redis->is_up());
        }
        RedisOptions no_file = server.options();
        no_file.ca_file = "/nowhere/ca.pem";
        EXPECT_EQ(connect_redis(loop, dice, no_file, silent).error().code(), Code::UNAVAILABLE);
    });
}

TEST(RedisClient, fails_at_once_while_the_server_is_away_and_comes_back_by_itself) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        RedisOptions options = server.options();
        options.command_timeout = hours(1); // whoever is not answered at once waits that long
        const auto redis = connect(loop, options);
        (void)must(co_await redis->command(Context{}, Command{"SET", "a", "1"}));
        const std::string life = redis->primary();
        EXPECT_FALSE(life.empty());
        server.kill_nine();
        co_await until([&] { return redis->figures().failed_connects.value() > 0; });
        EXPECT_FALSE(redis->is_up());
        const auto refused = co_await redis->command(Context{}, Command{"GET", "a"});
        EXPECT_EQ(refused.error().code(), Code::UNAVAILABLE);
        server.start();
        co_await answers_again(*redis);
        EXPECT_EQ(must(co_await redis->command(Context{}, Command{"GET", "a"})).text, "1");
        EXPECT_NE(redis->primary(), life); // another life: the last writes may be gone
    });
}

TEST(RedisClient, bounds_what_waits_and_how_long_while_the_server_hangs) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        RedisOptions options = server.options();
        options.waiting_max = 10;
        options.command_timeout = seconds(3);
        const auto redis = connect(loop, options);
        (void)must(co_await redis->command(Context{}, Command{"PING"}));
        server.pause(true);
        static constexpr auto ask = [](Redis& to, std::map<Code, int>& codes) -> Task<> {
            const auto reply = co_await to.command(Context{}, Command{"INCR", "n"});
            if (!reply) ++codes[reply.error().code()];
        };
        Nursery tasks;
        std::map<Code, int> codes;
        for (int i = 0; i < 15; ++i) tasks.spawn(ask(*redis, codes));
        EXPECT_TRUE(co_await tasks.drained(within(seconds(60))));
        EXPECT_EQ(codes[Code::OVERLOADED], 5);
        EXPECT_EQ(codes[Code::OUTCOME_UNKNOWN], 10); // they went out: they may have been done
        co_await until([&] { return redis->figures().lost.value() > 0; }); // it was cut off
        server.pause(false);
        co_await answers_again(*redis);
    });
}

TEST(RedisClient, a_caller_that_is_gone_does_not_shift_the_answers) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto redis = connect(loop, server.options());
        (void)must(co_await redis->command(Context{}, Command{"PING"}));
        static constexpr auto ask = [](Redis& to) -> Task<> {
            (void)co_await to.command(Context{}, Command{"ECHO", "nobody hears it"});
        };
        for (int i = 0; i < 20; ++i) {
            Nursery tasks;
            tasks.spawn(ask(*redis));
            if (i % 2) co_await yield(); // under way, or not yet
            tasks.clear();
            const std::string word = "word " + std::to_string(i);
            EXPECT_EQ(must(co_await redis->command(Context{}, Command{"ECHO", word})).text, word);
        }
    });
}

TEST(RedisClient, hears_what_is_published_also_after_the_connection_was_lost) {
    RedisServer server;
    on_loop([&](RunLoop& loop) -> Task<> {
        const auto redis = connect(loop, server.options());
        std::vector<std::string> heard;
        const auto told = [&](std::string_view message) { heard.emplace_back(message); };
        auto early = redis->subscribe("news", told);
        (void)must(co_await redis->command(Context{}, Command{"PING"}));
        auto late = redis->subscribe("more", told);
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "news", "one"}));
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "more", "two"}));
        co_await until([&] { return heard.size() == 2; });
        server.kill_nine();
        server.start();
        co_await answers_again(*redis);
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "news", "three"}));
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "more", "four"}));
        co_await until([&] { return heard.size() == 4; });
        late.reset();
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "more", "five"}));
        (void)must(co_await redis->command(Context{}, Command{"PUBLISH", "news", "six"}));
        co_await until([&] { return heard.size() == 5; });
        EXPECT_EQ(heard, (std::vector<std::string>{"one", "two", "three", "four", "six"}));
    });
}

TEST(RedisClient, follows_a_failover_that_the_sentinels_decide) {
    RedisServer first({.tls = true, .password = "pw"});
    RedisServer second({.tls = true, .password = "pw", .replica_of = first.port()});
    const auto sentinel = [&] {
        return RedisServer::With{
            .tls = true,
            .password = "watch",
            .more = {"sentinel monitor tix 127.0.0.1 " + std::to_string(first.port()) + " 2",
                     "sentinel auth-pass tix pw", "sentinel down-after-milliseconds tix 600000",
                     "sentinel failover-timeout tix 3000", "sentinel sentinel-pass watch"},
            .sentinel = true};
    };
    RedisServer one(sentinel()), two(sentinel()), three(sentinel());
    on_loop([&](RunLoop& loop) -> Task<> {
        RedisOptions options = one.options();
        options.servers = {
            {"127.0.0.1", one.port()}, {"127.0.0.1", two.port()}, {"127.0.0.1", three.port()}};
        options.primary_name = "tix";
        options.sentinel_password = "watch";
        options.password = "pw";
        options.command_timeout = seconds(3);
        const auto redis = connect(loop, options);
        (void)must(co_await redis->command(Context{}, Command{"SET", "a", "kept"}));
        const std::string life = redis->primary();
        co_await until([&] { // replicated, and known to all sentinels
            return second.say({"GET", "a"}) == "kept" &&
                   one.say({"SENTINEL", "CKQUORUM", "tix"}).starts_with("OK 3") &&
                   one.say({"SENTINEL", "REPLICAS", "tix"}).find("slave") != std::string::npos;
        });
        // From now on they look: before, a busy machine would be taken for a primary that is gone.
        for (const RedisServer* each : {&two, &three})
            EXPECT_EQ(each->say({"SENTINEL", "SET", "tix", "down-after-milliseconds", "500"}),
                      "OK");
        first.pause(true); // it hangs: neither refuses nor answers
        one.kill_nine();   // and the sentinel that was asked last is gone
        co_await until([&] { return redis->is_up() && redis->primary() != life; });
        EXPECT_EQ(must(co_await redis->command(Context{}, Command{"GET", "a"})).text, "kept");
        EXPECT_EQ(must(co_await redis->command(Context{}, Command{"SET", "a", "2"})).text, "OK");
        first.pause(false);
    });
}

} // namespace
} // namespace urr
