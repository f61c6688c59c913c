// The work queue: the same cases on a table and on a real SQS server (ElasticMQ).
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <thread>

#include "libs/messaging/sqs_queue.hpp"
#include "libs/messaging/table_queue.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/sqlite_database.hpp"
#include "tests/engines/aws_server.hpp"

namespace urr {
namespace {

// A queue of one's own, and any number of ends of it.
class Engine {
public:
    Engine(bool sqs, QueueRules rules) : rules_(rules) {
        SystemRandom random;
        mark_ = std::to_string(random.next());
        if (sqs) {
            server_ = std::make_unique<AwsServer>("sqs", "URR_TEST_SQS");
            AwsEnd end(*server_, "sqs");
            urls_ =
                must(end.run(create_sqs_queues(end.within(seconds(60)), end.client(),
                                               {mark_ + ".fifo", mark_ + "-dlq.fifo"}, rules_)));
            return;
        }
        folder_ = std::filesystem::temp_directory_path() / ("urr-works-" + mark_);
        std::filesystem::create_directories(folder_);
        static const SystemClock clock;
        SqliteOptions options;
        options.path = folder_ / "works.db";
        options.clock = &clock;
        database_ = must(open_sqlite(options));
        static const Migration all[] = {{1, "works", work_queue_tables}};
        must(migrate(*database_, all));
    }
    ~Engine() {
        database_.reset();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    struct Way {
        std::unique_ptr<AwsEnd> end;
        std::unique_ptr<WorkQueue> queue;
    };
    Way way() {
        Way out;
        out.end = server_ ? std::make_unique<AwsEnd>(*server_, "sqs")
                          : std::make_unique<AwsEnd>(aws::Endpoint{}, aws::Credentials{}, "none");
        out.queue = server_ ? make_sqs_queue(out.end->client(), urls_)
                            : make_table_queue(*database_, out.end->random(), rules_);
        return out;
    }
    AwsServer* server() { return server_.get(); }

private:
    QueueRules rules_;
    std::string mark_;
    std::unique_ptr<AwsServer> server_;
    SqsNames urls_;
    std::filesystem::path folder_;
    std::unique_ptr<SqliteDatabase> database_;
};

// What was taken stays out of others' hands for longer than any machine needs for a test.
struct WorkQueues : testing::TestWithParam<bool> {
    explicit WorkQueues(Duration visible_again = minutes(5))
        : engine(GetParam(), {.visible_again = visible_again, .times_max = 3}) {}
    Engine engine;
    Engine::Way one = engine.way(), two = engine.way();

    static Result<void> send(Engine::Way& by, std::vector<Work> works) {
        return by.end->run(by.queue->send(by.end->within(seconds(60)), std::move(works)));
    }
    static std::vector<Taken> receive(Engine::Way& by, int most = 10, Duration wait = {}) {
        return must(by.end->run(by.queue->receive(by.end->within(seconds(60)), most, wait)));
    }
    static Result<void> done(Engine::Way& by, const Taken& taken) {
        return by.end->run(by.queue->done(by.end->within(seconds(60)), taken.receipt));
    }
    static std::string bodies(const std::vector<Taken>& taken) {
        std::string out;
        for (const Taken& each : taken) out += each.body + " ";
        return out;
    }
};

TEST_P(WorkQueues, keeps_the_order_of_a_group) {
    std::vector<Work> works;
    for (int i = 0; i < 25; ++i)
        works.push_back({"g", "id-" + std::to_string(i), std::to_string(i)});
    must(send(one, std::move(works)));
    std::string seen;
    for (int round = 0; round < 30; ++round) {
        const auto taken = receive(two, 4);
        for (const Taken& each : taken) {
            seen += each.body + " ";
            must(done(two, each));
        }
    }
    std::string expected;
    for (int i = 0; i < 25; ++i) expected += std::to_string(i) + " ";
    EXPECT_EQ(seen, expected);
    EXPECT_TRUE(receive(one).empty());
}

TEST_P(WorkQueues, gives_nothing_of_a_group_while_something_of_it_is_out) {
    must(send(one, {{"a", "1", "a1"}, {"a", "2", "a2"}, {"b", "3", "b1"}}));
    const auto first = receive(one, 1);
    ASSERT_EQ(bodies(first), "a1 ");
    EXPECT_EQ(first[0].group, "a");
    EXPECT_EQ(first[0].times, 1);
    EXPECT_EQ(bodies(receive(two)), "b1 ");
    must(done(one, first[0]));
    EXPECT_EQ(bodies(receive(two)), "a2 ");
}

TEST_P(WorkQueues, counts_what_is_sent_twice_once) {
    must(send(one, {{"g", "same", "first"}, {"g", "same", "second"}, {"g", "other", "third"}}));
    must(send(two, {{"g", "same", "fourth"}}));
    const auto taken = receive(one);
    EXPECT_EQ(bodies(taken), "first third ");
    for (const Taken& each : taken) must(done(one, each));
    must(send(two, {{"g", "same", "fifth"}})); // also after it was done
    EXPECT_TRUE(receive(one).empty());
}

TEST_P(WorkQueues, gives_again_what_was_not_done_and_puts_it_aside_after_three_times) {
    must(send(one, {{"g", "1", "poison"}, {"g", "2", "next"}}));
    for (int times = 1; times <= 3; ++times) {
        const auto taken = receive(one, 1, seconds(15));
        ASSERT_EQ(bodies(taken), "poison ") << times;
        EXPECT_EQ(taken[0].times, times);
        must(one.end->run(one.queue->again(one.end->within(seconds(60)), taken[0].receipt, {})));
    }
    EXPECT_EQ(bodies(receive(two, 10, seconds(15))), "next ");
    EXPECT_EQ(must(two.end->run(two.queue->aside(two.end->within(seconds(60))))), 1);
}

struct WorkOfTheDead : WorkQueues {
    WorkOfTheDead() : WorkQueues(seconds(5)) {}
};
INSTANTIATE_TEST_SUITE_P(Engines, WorkOfTheDead, testing::Bool(),
                         [](const auto& info) { return info.param ? "SQS" : "Table"; });

TEST_P(WorkOfTheDead, is_given_to_another_once_it_is_seen_again) {
    must(send(one, {{"g", "1", "work"}}));
    const Instant before = one.end->loop().now();
    ASSERT_EQ(bodies(receive(one)), "work ");
    const bool is_hidden = receive(two).empty();
    if (one.end->loop().now() - before < seconds(4)) EXPECT_TRUE(is_hidden);
    const auto again = receive(two, 10, seconds(20));
    ASSERT_EQ(bodies(again), "work ");
    EXPECT_EQ(again[0].times, 2);
    must(done(two, again[0]));
}

TEST_P(WorkQueues, waits_for_the_first_and_wakes_when_it_comes) {
    const Instant began = one.end->loop().now();
    std::thread later([&] {
        ::usleep(700'000);
        must(send(two, {{"g", "1", "work"}}));
    });
    EXPECT_EQ(bodies(receive(one, 10, seconds(20))), "work ");
    later.join();
    EXPECT_LT((one.end->loop().now() - began).us, seconds(19).us) << "not at its patience's end";
}

TEST_P(WorkQueues, refuses_what_is_too_large_and_carries_the_largest) {
    EXPECT_EQ(send(one, {{"g", "1", std::string(work_bytes_max + 1, 'x')}}).error().code(),
              Code::BODY_TOO_LARGE);
    must(send(one, {{"g", "2", std::string(work_bytes_max, 'y')},
                    {"g", "3", std::string(work_bytes_max, 'z')}}));
    const auto taken = receive(one, 1);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].body, std::string(work_bytes_max, 'y'));
}

TEST_P(WorkQueues, a_receipt_that_is_none_is_said) {
    EXPECT_FALSE(done(one, Taken{"g", "", "no-such-receipt", 1}));
    EXPECT_FALSE(one.end->run(
        one.queue->again(one.end->within(seconds(60)), "no-such-receipt", seconds(1))));
}

TEST_P(WorkQueues, three_readers_share_the_groups_and_do_each_work_once_in_order) {
    std::vector<Work> works;
    for (int i = 0; i < 120; ++i)
        works.push_back({"g" + std::to_string(i % 6), std::to_string(i), std::to_string(i)});
    must(send(one, std::move(works)));
    std::mutex guard; // of what the test saw
    std::map<std::string, std::vector<int>> seen;
    std::atomic<int> left{120};
    std::vector<std::thread> readers;
    for (int r = 0; r < 3; ++r)
        readers.emplace_back([&] {
            Engine::Way way = engine.way();
            for (int idle = 0; left > 0 && idle < 6'000;) { // a minute
                const auto taken = receive(way, 5);
                if (taken.empty()) ++idle, ::usleep(10'000);
                for (const Taken& each : taken) {
                    {
                        std::lock_guard hold(guard);
                        seen[each.group].push_back(std::stoi(each.body));
                    }
                    must(done(way, each));
                    --left;
                }
            }
        });
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(left, 0);
    for (const auto& [group, numbers] : seen) {
        EXPECT_EQ(numbers.size(), 20u) << group;
        EXPECT_TRUE(std::ranges::is_sorted(numbers)) << group;
    }
}

INSTANTIATE_TEST_SUITE_P(Engines, WorkQueues, testing::Bool(),
                         [](const auto& info) { return info.param ? "SQS" : "Table"; });

TEST(WorkQueueOnSqs, a_restart_of_the_server_loses_nothing_that_was_sent) {
    Engine engine(true, {.visible_again = minutes(5), .times_max = 3});
    Engine::Way way = engine.way();
    must(way.end->run(way.queue->send(way.end->within(seconds(60)), {{"g", "1", "kept"}})));
    engine.server()->kill_nine();
    const auto away =
        way.end->run(way.queue->send(way.end->within(seconds(60)), {{"g", "2", "later"}}));
    EXPECT_EQ(away.error().code(), Code::UNAVAILABLE);
    engine.server()->start();
    must(way.end->run(way.queue->send(way.end->within(seconds(60)), {{"g", "2", "later"}})));
    std::string seen;
    for (int round = 0; round < 20 && seen.find("later") == std::string::npos; ++round)
        for (const Taken& each :
             must(way.end->run(way.queue->receive(way.end->within(seconds(60)), 10, seconds(2))))) {
            seen += each.body + " ";
            must(way.end->run(way.queue->done(way.end->within(seconds(60)), each.receipt)));
        }
    EXPECT_EQ(seen, "kept later ");
}

} // namespace
} // namespace urr
