// What Kafka does to a program: brokers that are away, stopped or killed, groups that change,
// topics that are missing, records of others.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "libs/messaging/kafka/topics.hpp"
#include "libs/telemetry/metrics.hpp"
#include "tests/engines/events_world.hpp"

namespace urr {
namespace {

class Kafka : public testing::Test {
protected:
    EventsWorld world{Engine::kafka};
};

// Where a test waits until appending is given up.
constexpr Duration impatience = seconds(5);

std::int64_t figure(const EventLog& log, const char* name) {
    MetricsText out;
    log.append_metrics(out);
    const std::string line = "\nurr_kafka_" + std::string(name) + "_total ";
    const auto at = out.text().find(line);
    return at == std::string::npos ? -1 : std::stoll(out.text().substr(at + line.size()));
}

// Publishes n of every key until told to stop; how many of each.
struct Source {
    int keys = 0, each = 0;
    bool stop = false, stopped = false;
};
Task<> publish_on(EventsWorld& world, Source& source, Duration pause) {
    while (!source.stop) {
        for (int key = 1; key <= source.keys; ++key)
            must(co_await world.publish(key, source.each + 1));
        ++source.each;
        (void)co_await sleep(Context{}, pause);
    }
    source.stopped = true;
}
Task<> expect_all(EventsWorld& world, Source& source) {
    source.stop = true;
    while (!source.stopped) (void)co_await sleep(Context{}, milliseconds(5));
    co_await world.until_effects(source.keys * source.each);
    for (const auto& [key, numbers] : co_await world.effects())
        EXPECT_EQ(numbers, up_to(source.each)) << "key " << key;
}

// Members of one group, each in a process of its own as far as Kafka sees, come and go.
Task<> members_change(EventsWorld& world) {
    const auto sender = world.open_log();
    std::unique_ptr<EventLog> logs[3] = {world.open_log(), world.open_log(), world.open_log()};
    const std::unique_ptr<Taker> takers[3] = {world.taker(), world.taker(), world.taker()};
    Relay relay(world.from(), *sender, "test", milliseconds(20));
    Source source{24};
    Nursery jobs, members[3];
    jobs.spawn(relay.run());
    jobs.spawn(publish_on(world, source, milliseconds(20)));
    for (const int turn : {0, 1, 2}) {
        members[turn].spawn(logs[turn]->deliver(world.topic, world.group, *takers[turn]));
        while (takers[turn]->calls == 0) (void)co_await sleep(Context{}, milliseconds(20));
        (void)co_await sleep(Context{}, milliseconds(300));
    }
    members[0].clear(); // leaves in the middle of its work
    (void)co_await sleep(Context{}, milliseconds(500));
    members[1].clear();
    co_await expect_all(world, source);
    EXPECT_GE(figure(*logs[0], "rebalances"), 2);
    EXPECT_EQ(figure(*logs[0], "lost"), 0);
    EXPECT_GT(takers[1]->calls, 0);
    EXPECT_EQ(figure(*logs[1], "commits_failed"), 0);
}

TEST_F(Kafka, members_of_a_group_share_the_keys_and_keep_their_order_while_they_change) {
    world.run(members_change(world));
}

// One that does not answer when its partitions are asked back is left behind, and harms nothing.
Task<> one_hangs(EventsWorld& world) {
    const auto first = world.open_log(), second = world.open_log(), third = world.open_log();
    const auto stuck = world.taker(), other = world.taker(), last = world.taker();
    stuck->silent = true; // the effect is there, the answer never comes
    Nursery members;
    members.spawn(first->deliver(world.topic, world.group, *stuck));
    must(co_await first->append(Context{}, world.messages(12, 3)));
    co_await world.until_effects(12);
    members.spawn(second->deliver(world.topic, world.group, *other));
    while (other->calls < 3) (void)co_await sleep(Context{}, milliseconds(20));
    members.clear();
    members.spawn(third->deliver(world.topic, world.group, *last));
    co_await world.until_effects(36);
    for (const auto& [key, numbers] : co_await world.effects()) EXPECT_EQ(numbers, up_to(3));
}

TEST_F(Kafka, a_member_that_hangs_loses_its_partitions_without_harm) {
    world.run(one_hangs(world));
}

// The loop waits for the broker's end and start in a thread's place: nothing else runs here.
Task<> killed_and_started(EventsWorld& world) {
    world.options.append_timeout = impatience;
    const auto log = world.open_log();
    const auto taker = world.taker();
    Relay relay(world.from(), *log, "test", milliseconds(20), &world.log);
    Source source{10};
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    nursery.spawn(publish_on(world, source, milliseconds(5)));
    co_await world.until_effects(100);
    EXPECT_TRUE(log->is_up());
    world.kafka.kill();
    for (int i = 0; i < 100; ++i) (void)co_await sleep(Context{}, milliseconds(10));
    while (log->is_up()) (void)co_await sleep(Context{}, milliseconds(10));
    world.kafka.start();
    const int before = co_await world.count_effects();
    co_await world.until_effects(before + 100);
    co_await expect_all(world, source);
    EXPECT_GE(world.log.count("kafka_unreachable"), 1) << world.log.text();
    EXPECT_TRUE(log->is_up());
}

// With nothing to send: it is asked whether they are back.
Task<> nothing_to_send(EventsWorld& world) {
    const auto log = world.open_log();
    must(co_await log->append(Context{}, {world.message(1, 1)}));
    world.kafka.kill();
    while (log->is_up()) (void)co_await sleep(Context{}, milliseconds(10));
    world.kafka.start();
    while (!log->is_up()) (void)co_await sleep(Context{}, milliseconds(10));
    EXPECT_EQ(world.log.count("kafka_reachable"), 1) << world.log.text();
}

TEST_F(Kafka, is_known_to_be_away_and_to_be_back_also_by_who_sends_nothing) {
    world.run(nothing_to_send(world));
}

TEST_F(Kafka, a_broker_killed_and_started_again_costs_time_only) {
    world.run(killed_and_started(world));
}

Task<> stopped(EventsWorld& world) {
    world.options.append_timeout = impatience;
    const auto log = world.open_log();
    const auto taker = world.taker();
    Relay relay(world.from(), *log, "test", milliseconds(20), &world.log);
    Source source{10};
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    nursery.spawn(publish_on(world, source, milliseconds(5)));
    co_await world.until_effects(100);
    world.kafka.signal(SIGSTOP);
    while (world.log.count("relay_failed") == 0) (void)co_await sleep(Context{}, milliseconds(20));
    EXPECT_FALSE(log->is_up());
    (void)co_await sleep(Context{}, seconds(3));
    EXPECT_FALSE(log->is_up());
    world.kafka.signal(SIGCONT);
    co_await expect_all(world, source);
    EXPECT_GE(figure(*log, "producer_renewed"), 1);
    while (world.log.count("relay_recovered") == 0)
        (void)co_await sleep(Context{}, milliseconds(20));
}

TEST_F(Kafka, a_broker_that_stands_still_fails_appends_in_time_and_nothing_is_overtaken) {
    world.run(stopped(world));
}

// As when another process's relay has sent what this one could not.
Task<> stopped_and_nothing_to_send(EventsWorld& world) {
    world.options.append_timeout = impatience;
    const auto log = world.open_log();
    must(co_await log->append(Context{}, {world.message(1, 1)}));
    world.kafka.signal(SIGSTOP);
    const auto late = co_await log->append(Context{}, {world.message(1, 2)});
    EXPECT_EQ(late.error().code(), Code::UNAVAILABLE);
    EXPECT_FALSE(log->is_up());
    world.kafka.signal(SIGCONT);
    while (!log->is_up()) (void)co_await sleep(Context{}, milliseconds(20));
    EXPECT_EQ(figure(*log, "acknowledged"), 1);
}

TEST_F(Kafka, is_known_to_acknowledge_again_also_by_who_has_nothing_left_to_send) {
    world.run(stopped_and_nothing_to_send(world));
}

// Brokers that answer and do not take anything, as those whose replicas are too few.
Task<> too_few_replicas(EventsWorld& world) {
    KafkaOptions two = world.options;
    two.min_isr = 2;
    const std::string strict = world.topic + "-strict";
    const std::string_view topics[] = {strict};
    must(make_kafka_topics(two, world.log, topics));
    world.options.append_timeout = impatience;
    const auto log = world.open_log();
    const auto append = [&]() -> Task<Result<void>> {
        Message message = world.message(1, 1);
        message.topic = strict;
        co_return co_await log->append(Context{}, {message});
    };
    EXPECT_EQ((co_await append()).error().code(), Code::UNAVAILABLE);
    bool over = false;
    const auto relay = [&]() -> Task<> {
        for (int i = 0; i < 2; ++i) {
            (void)co_await sleep(Context{}, milliseconds(200));
            EXPECT_EQ((co_await append()).error().code(), Code::UNAVAILABLE);
        }
        over = true;
    };
    Nursery relaying;
    relaying.spawn(relay());
    int ups = 0;
    while (!over) {
        (void)co_await sleep(Context{}, milliseconds(20));
        if (log->is_up()) ++ups;
    }
    EXPECT_EQ(ups, 0);
}

TEST_F(Kafka, that_answers_and_does_not_acknowledge_is_not_up_while_something_is_to_be_sent) {
    world.run(too_few_replicas(world));
}

Task<> away_at_start(EventsWorld& world) {
    world.kafka.signal(SIGSTOP);
    world.options.append_timeout = impatience;
    auto log = world.open_log();
    const auto taker = world.taker();
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    Context short_of_time;
    short_of_time.deadline = Loop::here().now() + milliseconds(200);
    const auto early = co_await log->append(short_of_time, {world.message(1, 1)});
    EXPECT_EQ(early.error().code(), Code::OUTCOME_UNKNOWN);
    const auto late = co_await log->append(Context{}, {world.message(2, 1)});
    EXPECT_EQ(late.error().code(), Code::UNAVAILABLE);
    // Such a program may end, too.
    nursery.clear();
    log = world.open_log();
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    world.kafka.signal(SIGCONT);
    while (!co_await log->append(Context{}, {world.message(3, 1)}))
        (void)co_await sleep(Context{}, milliseconds(50));
    while (!(co_await world.effects()).contains(3))
        (void)co_await sleep(Context{}, milliseconds(20));
}

TEST_F(Kafka, a_broker_away_at_the_start_is_waited_for) { world.run(away_at_start(world)); }

// The group thinks a member dead that does not poll for max.poll.interval.ms.
Task<> long_outage(EventsWorld& world) {
    KafkaOptions options = world.options;
    options.more = {{"max.poll.interval.ms", "6000"}};
    const auto log = world.open_log(options);
    const auto taker = world.taker();
    taker->shut = true; // nothing is answered: every chain stands
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    constexpr int keys = 40, each = 500; // more than a member holds of any partition
    for (int n = 1; n <= each; n += 50) {
        std::vector<Message> batch;
        for (int i = n; i < n + 50; ++i)
            for (int key = 1; key <= keys; ++key) batch.push_back(world.message(key, i));
        must(co_await log->append(Context{}, std::move(batch)));
    }
    (void)co_await sleep(Context{}, seconds(8));
    EXPECT_LT(figure(*log, "received"), keys * each); // its partitions are paused
    EXPECT_EQ(figure(*log, "lost"), 0);
    EXPECT_EQ(figure(*log, "rebalances"), 1);
    taker->release();
    co_await world.until_effects(keys * each);
    for (const auto& [key, numbers] : co_await world.effects()) EXPECT_EQ(numbers, up_to(each));
    EXPECT_EQ(figure(*log, "rebalances"), 1);
}

TEST_F(Kafka, a_consumer_that_stands_still_keeps_its_partitions_and_a_bound_of_messages) {
    world.run(long_outage(world));
}

void produce_foreign(const std::string& brokers, const std::string& topic) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), nullptr, 0);
    rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    rd_kafka_topic_t* to = rd_kafka_topic_new(producer, topic.c_str(), nullptr);
    char text[] = "not one of ours";
    for (int partition = 0; partition < 3; ++partition)
        rd_kafka_produce(to, partition, RD_KAFKA_MSG_F_COPY, text, sizeof text, "key", 3, nullptr);
    rd_kafka_flush(producer, 10'000);
    rd_kafka_topic_destroy(to);
    rd_kafka_destroy(producer);
}

Task<> foreign(EventsWorld& world) {
    const auto log = world.open_log();
    const auto taker = world.taker();
    produce_foreign(world.options.brokers, world.topic);
    Nursery nursery;
    nursery.spawn(log->deliver(world.topic, world.group, *taker));
    must(co_await log->append(Context{}, world.messages(9, 1)));
    co_await world.until_effects(9);
    EXPECT_EQ(figure(*log, "unreadable"), 3);
    EXPECT_EQ(world.log.count("record_unreadable"), 3);
}

TEST_F(Kafka, a_record_of_somebody_else_is_told_and_passed_over) { world.run(foreign(world)); }

Task<> too_large(EventsWorld& world) {
    const auto log = world.open_log();
    const auto refused =
        co_await log->append(Context{}, {world.message(1, 1, std::string(2'000'000, 'x'))});
    EXPECT_EQ(refused.error().code(), Code::UNAVAILABLE);
    must(co_await log->append(Context{}, {world.message(1, 2)}));
}

TEST_F(Kafka, a_message_too_large_fails_alone) { world.run(too_large(world)); }

// `urr migrate` has made it, and the broker that is asked hears of it a moment later.
TEST_F(Kafka, a_topic_that_a_broker_is_about_to_hear_of_is_waited_for) {
    const std::string late = world.topic + "-late";
    const std::string_view topics[] = {world.topic, late};
    std::thread maker([&] {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        EXPECT_TRUE(make_kafka_topics(world.options, world.log, topics).has_value());
    });
    const KafkaLook look{.patience = seconds(120)}; // half of it for a new topic
    EXPECT_TRUE(check_kafka_topics(world.options, world.log, topics, look).has_value());
    maker.join();
}
TEST_F(Kafka, topics_are_made_once_and_looked_at_before_serving) {
    const std::string missing = world.topic + "-other";
    const std::string_view topics[] = {world.topic, missing};
    const auto before = check_kafka_topics(world.options, world.log, topics);
    EXPECT_EQ(before.error().code(), Code::NOT_FOUND);
    EXPECT_NE(before.error().text().find(missing + ": run `urr migrate`"), std::string::npos);
    EXPECT_EQ(must(make_kafka_topics(world.options, world.log, topics)),
              std::vector<std::string>{missing});
    EXPECT_TRUE(must(make_kafka_topics(world.options, world.log, topics)).empty());
    EXPECT_TRUE(check_kafka_topics(world.options, world.log, topics).has_value());
    KafkaOptions more = world.options;
    more.replicas = 2;
    const auto few = check_kafka_topics(more, world.log, topics);
    EXPECT_EQ(few.error().code(), Code::CONFLICT);
    EXPECT_NE(few.error().text().find("1 replicas where URR_KAFKA_REPLICAS asks for 2"),
              std::string::npos);
    const std::string_view third[] = {"test-third"};
    const auto refused = make_kafka_topics(more, world.log, third); // one broker cannot
    EXPECT_EQ(refused.error().code(), Code::UNAVAILABLE);
    EXPECT_NE(refused.error().text().find("test-third"), std::string::npos);
}

} // namespace
} // namespace urr
