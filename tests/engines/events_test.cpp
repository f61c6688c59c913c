// The event log's promises, the same cases against each engine.
#include <gtest/gtest.h>

#include "tests/engines/events_world.hpp"

namespace urr {
namespace {

class Events : public testing::TestWithParam<Engine> {
protected:
    EventsWorld world{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(, Events, testing::Values(Engine::table, Engine::kafka),
                         [](const auto& of) {
                             return of.param == Engine::table ? "table" : "kafka";
                         });

Task<> from_outbox_to_effect(EventsWorld& world) {
    constexpr int keys = 20, each = 15;
    const auto log = world.open_log();
    const auto taker = world.taker();
    Relay relay(world.from(), *log, "test", milliseconds(20));
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    for (int n = 1; n <= each; ++n)
        for (int key = 1; key <= keys; ++key) must(co_await world.publish(key, n));
    co_await world.until_effects(keys * each);
    for (const auto& [key, numbers] : co_await world.effects()) EXPECT_EQ(numbers, up_to(each));
}

TEST_P(Events, come_from_the_outbox_in_order_per_key) { world.run(from_outbox_to_effect(world)); }

struct Keeper final : Consumer {
    std::vector<Message> seen;
    Task<Result<void>> consume(Context, Message message) override {
        seen.push_back(std::move(message));
        co_return Result<void>{};
    }
};

Task<> keeps_all(EventsWorld& world) {
    const auto log = world.open_log();
    Keeper keeper;
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, keeper));
    Message message = world.message(7, 3, R"({"text":"좌석 \u0000 한글"})");
    message.version = 2;
    Message bare = world.message(8, 1, "{}");
    bare.traceparent.clear();
    must(co_await log->append(Context{}, {message}));
    must(co_await log->append(Context{}, {bare}));
    must(co_await log->append(Context{}, {}));
    while (keeper.seen.size() < 2) (void)co_await sleep(Context{}, milliseconds(5));
    if (keeper.seen[0].id != message.id) std::swap(keeper.seen[0], keeper.seen[1]);
    for (const auto& [sent, came] : {std::pair(message, keeper.seen[0]), {bare, keeper.seen[1]}}) {
        EXPECT_EQ(came.id, sent.id);
        EXPECT_EQ(came.topic, sent.topic);
        EXPECT_EQ(came.type, sent.type);
        EXPECT_EQ(came.version, sent.version);
        EXPECT_EQ(came.occurred, sent.occurred);
        EXPECT_EQ(came.key, sent.key);
        EXPECT_EQ(came.seq, sent.seq);
        EXPECT_EQ(came.traceparent, sent.traceparent);
        EXPECT_EQ(came.data, sent.data);
    }
}

TEST_P(Events, come_as_they_were_sent) { world.run(keeps_all(world)); }

Task<> repeats(EventsWorld& world) {
    const auto log = world.open_log();
    const auto taker = world.taker();
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    const auto batch = world.messages(3, 4);
    for (int times = 0; times < 3; ++times) must(co_await log->append(Context{}, batch));
    // One that comes long after its like has taken effect, and after those that follow it.
    must(co_await log->append(Context{}, {world.message(1, 5), batch[0], world.message(1, 6)}));
    co_await world.until_effects(14);
    while (taker->calls < 39) (void)co_await sleep(Context{}, milliseconds(5));
    auto effects = co_await world.effects();
    EXPECT_EQ(effects[1], up_to(6));
    EXPECT_EQ(effects[2], up_to(4));
    EXPECT_EQ(effects[3], up_to(4));
}

TEST_P(Events, that_come_again_or_late_take_effect_once_and_in_order) { world.run(repeats(world)); }

Task<> parks(EventsWorld& world) {
    auto log = world.open_log();
    const auto taker = world.taker();
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    must(co_await log->append(Context{}, {world.message(1, 1), world.message(1, 2, "bad"),
                                          world.message(1, 3), world.message(2, 1)}));
    co_await world.until_effects(2); // the first of either key
    while (must(co_await log->parked(Context{})) < 2)
        (void)co_await sleep(Context{}, milliseconds(20));
    // After a restart what follows is still parked behind; other keys are not.
    nursery.clear();
    log = world.open_log();
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    must(co_await log->append(Context{}, {world.message(1, 4), world.message(2, 2)}));
    co_await world.until_effects(3);
    while (must(co_await log->parked(Context{})) < 3)
        (void)co_await sleep(Context{}, milliseconds(20));
    EXPECT_EQ(must(co_await log->replay(Context{}, world.group, *taker)), 0);
    taker->mended = true;
    EXPECT_EQ(must(co_await log->replay(Context{}, "another", *taker)), 0);
    EXPECT_EQ(must(co_await log->replay(Context{}, world.group, *taker)), 3);
    EXPECT_EQ(must(co_await log->parked(Context{})), 0);
    // The key is as any other again.
    must(co_await log->append(Context{}, {world.message(1, 5)}));
    co_await world.until_effects(7);
    auto effects = co_await world.effects();
    EXPECT_EQ(effects[1], up_to(5));
    EXPECT_EQ(effects[2], up_to(2));
}

TEST_P(Events, refused_five_times_are_parked_with_their_key_until_replayed) {
    world.run(parks(world));
}

Task<> waits(EventsWorld& world) {
    const auto log = world.open_log();
    const auto taker = world.taker();
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    must(co_await log->append(Context{}, {world.message(1, 1, "outage"), world.message(1, 2)}));
    while (taker->calls < 6) (void)co_await sleep(Context{}, milliseconds(5));
    for (int key = 2; key < 32; ++key)
        must(co_await log->append(Context{}, {world.message(key, 1)}));
    co_await world.until_effects(30); // nobody waits for the one in trouble
    EXPECT_EQ(must(co_await log->parked(Context{})), 0);
    taker->mended = true;
    co_await world.until_effects(32);
    EXPECT_EQ((co_await world.effects())[1], up_to(2));
}

TEST_P(Events, that_nobody_can_take_now_wait_and_hold_up_no_other_key) { world.run(waits(world)); }

Task<> dies_between(EventsWorld& world) {
    auto log = world.open_log();
    {
        const auto taker = world.taker();
        taker->silent = true; // committed, and then the process dies
        Nursery nursery;
        nursery.spawn(log->deliver(world.topic, world.group, *taker));
        must(co_await log->append(Context{}, world.messages(10, 3)));
        co_await world.until_effects(10);
    }
    log = world.open_log();
    const auto taker = world.taker();
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    co_await world.until_effects(30);
    for (const auto& [key, numbers] : co_await world.effects()) EXPECT_EQ(numbers, up_to(3));
    EXPECT_GE(taker->calls, 30); // what had taken effect came again
}

TEST_P(Events, take_effect_once_when_the_consumer_dies_before_its_commit) {
    world.run(dies_between(world));
}

Task<> every_group(EventsWorld& world) {
    auto log = world.open_log();
    const auto one = world.taker("one"), two = world.taker("two");
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group + "-one", *one));
    must(co_await log->append(Context{}, world.messages(5, 10)));
    co_await world.until_effects(50, "one");
    nursery.spawn(log->deliver(world.topic, world.group + "-two", *two)); // from the first event on
    co_await world.until_effects(50, "two");
    // A group that has taken them does not meet them again, once its place in the log is stored.
    int met = 0;
    for (int n = 1; n <= 20 && met != 1; ++n) {
        (void)co_await sleep(Context{}, milliseconds(300));
        nursery.clear();
        log = world.open_log();
        const auto again = world.taker("one");
        nursery.spawn(log->deliver(world.topic, world.group + "-one", *again));
        must(co_await log->append(Context{}, {world.message(1, 10 + n)}));
        co_await world.until_effects(50 + n, "one");
        met = again->calls;
        nursery.clear();
    }
    EXPECT_EQ(met, 1);
}

TEST_P(Events, come_to_every_group_from_the_first_on_and_once) { world.run(every_group(world)); }

} // namespace
} // namespace urr
