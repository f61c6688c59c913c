// The audit of a rehearsal where lines stand in Redis: what the product itself writes there passes,
// and planted faults are found by the same rules as in a database.
#include <gtest/gtest.h>

#include "apps/urr/rehearsal/audit_house.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::app {
namespace {

SystemRandom dice;
SilentLog silent;

// As Audits, with the line in a Redis of its own, written by queue's own store.
struct LineAudits : Audits {
    RedisServer server{{.tls = true, .password = "secret"}};
    ManualClock clock{Instant{100'000'000}};

    LineAudits() {
        on_loop([this](RunLoop& loop) { return let_two_through(loop); });
    }
    StorePaths paths() const override {
        StorePaths paths = stores_in(folder.string());
        paths.queue = "redis";
        paths.redis = server.options();
        return paths;
    }
    AccountId account(int fan) const { return record.accounts[std::size_t(fan)]; }
    std::string key(const std::string& name) const { return "{" + event.text() + "}:" + name; }
    std::string member(int fan) { return server.say({"HGET", key("queue"), account(fan).text()}); }
    // Puts another word into a fan's record; words count from 0.
    void put(int fan, int at, const std::string& value) {
        std::istringstream words(member(fan));
        std::string all, word;
        for (int i = 0; words >> word; ++i) all += (i ? " " : "") + (i == at ? value : word);
        server.say({"HSET", key("queue"), account(fan).text(), all});
    }

    // Fan 1 comes in and buys, then fan 2.
    Task<> let_two_through(RunLoop& loop) {
        const auto redis = must(connect_redis(loop, dice, server.options(), silent));
        queue::RedisLines lines(*redis, {.holder = "one", .clock = &clock});
        const auto message = [&] { return MessageId::make(clock.now(), dice); };
        const auto generation = GenerationId::make(clock.now(), dice);
        queue::HallRecord hall;
        hall.epoch = 1;
        hall.levers.threshold = 1;
        (void)must(co_await lines.open(Context{}, generation, message()));
        (void)must(co_await lines.begin_hall(Context{}, event, hall));
        (void)must(co_await lines.take_turn(Context{}, event, seconds(0), message()));
        for (int fan = 1; fan <= 2; ++fan) {
            queue::Join join;
            join.event = event;
            join.account = account(fan);
            join.place = {1, 0, std::uint64_t(fan), 0};
            join.receipt = make_id_bytes(clock.now(), dice);
            const auto joined = must(co_await lines.join(Context{}, join));
            clock.set(clock.now() + seconds(5));
            std::vector<queue::Admission> admitted{{account(fan), joined.place.arrival,
                                                    make_id_bytes(clock.now(), dice), clock.now(),
                                                    clock.now() + minutes(10)}};
            const auto done = must(co_await lines.admit(Context{}, generation, event,
                                                        queue::Rules{}, admitted, {message()}));
            EXPECT_EQ(done.size(), 1u);
            const auto ended = must(co_await lines.purchase(
                Context{}, generation, event, account(fan), clock.now(), message(), message()));
            EXPECT_TRUE(ended.ended);
        }
    }
};

TEST_F(LineAudits, pass_what_queue_writes) {
    const Audit a = audit();
    EXPECT_TRUE(a.ok()) << (a.findings.empty() ? "" : a.findings[0]);
}
TEST_F(LineAudits, see_a_place_that_redis_lost) {
    server.say({"HDEL", key("queue"), account(2).text()});
    expect_only(&Audit::order_violations);
}
TEST_F(LineAudits, see_a_place_that_was_moved) {
    put(2, 2, "9");
    expect_only(&Audit::order_violations);
}
TEST_F(LineAudits, see_somebody_overtaken) {
    put(1, 6,
        std::to_string(clock.now().us + 1)); // let in last, though he stood there from the start
    expect_only(&Audit::order_violations);
}
TEST_F(LineAudits, see_an_admission_over_the_threshold) {
    put(1, 4, "1");
    put(2, 4, "1");
    expect_only(&Audit::order_violations);
}
TEST_F(LineAudits, see_that_the_whole_line_is_gone) {
    server.say({"FLUSHALL"});
    expect_only(&Audit::order_violations, 3); // the hall, and the places of two
}
TEST_F(LineAudits, take_no_silence_for_soundness) {
    Audit a;
    put(1, 4, "no number");
    EXPECT_FALSE(audit_stores(paths(), event, a));
    server.kill_nine();
    EXPECT_FALSE(audit_stores(paths(), event, a));
}

} // namespace
} // namespace urr::app
