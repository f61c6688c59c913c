// Kafka as production has it: three brokers, and two with two in-sync replicas. Minutes long; run
// by `scripts/chaos-kafka`. A stream of events flows from an outbox to its effects while brokers
// are killed; nothing is lost, nothing overtaken, and it flows again by itself.
#include <gtest/gtest.h>

#include "tests/engines/events_world.hpp"

namespace urr {
namespace {

constexpr int keys = 20;

struct Stream {
    explicit Stream(int brokers)
        : world(Engine::kafka, brokers), log(world.open_log(impatient(world.options))),
          taker(world.taker()), relay(world.from(), *log, "test", milliseconds(50), &world.log) {}
    static KafkaOptions impatient(KafkaOptions options) {
        options.append_timeout = seconds(4);
        return options;
    }

    EventsWorld world;
    std::unique_ptr<EventLog> log;
    std::unique_ptr<Taker> taker;
    Relay relay;
    int each = 0;
    bool stop = false, stopped = false;
};

Task<> publish(Stream& s) {
    while (!s.stop) {
        for (int key = 1; key <= keys; ++key) must(co_await s.world.publish(key, s.each + 1));
        ++s.each;
        (void)co_await sleep(Context{}, milliseconds(50));
    }
    s.stopped = true;
}

Task<> pass(Duration time) { (void)co_await sleep(Context{}, time); }

// How long nothing takes effect, in milliseconds.
Task<std::int64_t> gap(Stream& s, int more) {
    const Instant began = Loop::here().now();
    co_await s.world.until_effects(co_await s.world.count_effects() + more);
    co_return (Loop::here().now() - began).us / 1000;
}

Task<> end_well(Stream& s, const char* what) {
    s.stop = true;
    while (!s.stopped) co_await pass(milliseconds(10));
    co_await s.world.until_effects(keys * s.each);
    for (const auto& [key, numbers] : co_await s.world.effects()) EXPECT_EQ(numbers, up_to(s.each));
    std::printf("%s: %d events, %d deliveries\n", what, keys * s.each, s.taker->calls);
}

Task<> begin(Stream& s, Nursery& nursery) {
    nursery.spawn(s.relay.run());
    nursery.spawn(s.log->deliver(s.world.topic, s.world.group, *s.taker));
    nursery.spawn(publish(s));
    co_await s.world.until_effects(200);
}

Task<> one_of_three(Stream& s) {
    Nursery nursery;
    co_await begin(s, nursery);
    for (const int node : {1, 2, 3}) {
        s.world.kafka.kill(node);
        std::printf("broker %d killed: flows again after %lld ms\n", node,
                    static_cast<long long>(co_await gap(s, 200)));
        s.world.kafka.start(node);
        co_await pass(seconds(8)); // in sync again
    }
    co_await end_well(s, "one of three");
}

TEST(Cluster3, one_of_three_brokers_killed_in_turn) {
    Stream stream(3);
    stream.world.run(one_of_three(stream));
}

Task<> two_of_three(Stream& s) {
    Nursery nursery;
    co_await begin(s, nursery);
    s.world.kafka.kill(2);
    s.world.kafka.kill(3);
    co_await pass(seconds(15)); // what was under way has settled
    const int before = co_await s.world.count_effects();
    co_await pass(seconds(45));
    EXPECT_EQ(co_await s.world.count_effects(), before); // one replica alone acknowledges nothing
    EXPECT_GE(s.world.log.count("relay_failed"), 1);
    s.world.kafka.start(2);
    s.world.kafka.start(3);
    std::printf("two of three are back: flows again after %lld ms\n",
                static_cast<long long>(co_await gap(s, 200)));
    co_await end_well(s, "two of three for a minute");
}

TEST(Cluster3, two_of_three_brokers_away_for_a_minute) {
    Stream stream(3);
    stream.world.run(two_of_three(stream));
}

// KAF-7: two replicas, both in sync. While one is away nothing is published and nothing is lost.
Task<> one_of_two(Stream& s) {
    Nursery nursery;
    co_await begin(s, nursery);
    s.world.kafka.kill(2);
    co_await pass(seconds(15));
    const int before = co_await s.world.count_effects();
    co_await pass(seconds(20));
    EXPECT_EQ(co_await s.world.count_effects(), before);
    s.world.kafka.start(2);
    std::printf("the second of two is back: flows again after %lld ms\n",
                static_cast<long long>(co_await gap(s, 200)));
    co_await end_well(s, "one of two with min ISR 2");
}

TEST(Cluster2, one_of_two_brokers_with_two_in_sync_replicas_killed) {
    Stream stream(2);
    stream.world.run(one_of_two(stream));
}

} // namespace
} // namespace urr
