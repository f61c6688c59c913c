#include "libs/messaging/table_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/log_table.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/sql/outbox.hpp"

namespace urr {
namespace {

namespace fs = std::filesystem;

constexpr auto publish = [](Tx& tx, MessageId id, IdBytes key,
                            const std::string& data) -> Task<Result<bool>> {
    TRY(co_await append_event(tx, id, {"topic", key, "Type", 1, data, ""}));
    co_return true;
};

// Keeps what it was given; refuses the data "bad" until told otherwise.
struct Collector final : Consumer {
    std::vector<std::string> seen;
    bool accepts_bad = false;
    Task<Result<void>> consume(Context, Message message) override {
        co_await yield();
        if (message.data == "bad" && !accepts_bad) co_return fail(Code::INTERNAL);
        seen.push_back(message.data);
        co_return Result<void>{};
    }
};

struct Events : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_log_" + std::to_string(::getpid()) +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    SystemClock clock;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<SqliteDatabase> service, events;

    std::unique_ptr<SqliteDatabase> open(const char* name) {
        SqliteOptions options;
        options.path = (folder / name).string();
        options.clock = &clock;
        return must(open_sqlite(options));
    }
    Events() {
        fs::create_directories(folder);
        service = open("service.db");
        events = open("events.db");
        const Migration tables[] = {{1, "shared", shared_tables}};
        must(migrate(*service, tables));
        must(migrate(*events, event_log_migrations));
    }
    ~Events() override {
        service.reset();
        events.reset();
        fs::remove_all(folder);
    }
    void run(Task<> task) { run_to_end(*loop, std::move(task)); }
};

Task<> in_order(Database& service, Database& events) {
    SeededRandom random(5);
    for (int i = 0; i < 60; ++i) {
        IdBytes key{};
        key[0] = (unsigned char)(i % 3);
        const std::string data = std::to_string(i % 3) + ":" + std::to_string(i);
        must(co_await service.transact(Context{}, publish, MessageId::make({}, random), key, data));
    }
    auto log = make_table_log(events, milliseconds(5));
    Collector collector;
    Nursery nursery;
    Relay relay(service, *log, "test");
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver("topic", "group", collector));
    while (collector.seen.size() < 60) must(co_await sleep(Context{}, milliseconds(5)));
    nursery.clear();
    int last[3] = {-1, -1, -1};
    for (const std::string& data : collector.seen) {
        const int key = data[0] - '0', n = std::stoi(data.substr(2));
        EXPECT_GT(n, last[key]);
        last[key] = n;
    }
}

TEST_F(Events, events_come_in_order_per_key) { run(in_order(*service, *events)); }

Task<> parks(Database& service, Database& events) {
    SeededRandom random(6);
    const char* data[] = {"a", "bad", "after"};
    for (const char* text : data)
        must(co_await service.transact(Context{}, publish, MessageId::make({}, random), IdBytes{1},
                                       std::string(text)));
    must(co_await service.transact(Context{}, publish, MessageId::make({}, random), IdBytes{2},
                                   std::string("other")));
    auto log = make_table_log(events, milliseconds(5));
    Relay relay(service, *log, "test");
    Collector collector;
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver("topic", "group", collector));
    while (collector.seen.size() < 2) must(co_await sleep(Context{}, milliseconds(5)));
    while (must(co_await log->parked(Context{})) < 2)
        must(co_await sleep(Context{}, milliseconds(20)));
    EXPECT_EQ(collector.seen.size(), 2u);
    collector.accepts_bad = true;
    EXPECT_EQ(must(co_await log->replay(Context{}, "group", collector)), 2);
    EXPECT_EQ(must(co_await log->parked(Context{})), 0);
    EXPECT_EQ(collector.seen[2] + collector.seen[3], "badafter");
    EXPECT_EQ(must(co_await log->replay(Context{}, "group", collector)), 0);
}

TEST_F(Events, a_key_that_fails_is_parked_with_what_follows_and_comes_back) {
    run(parks(*service, *events));
}

// A log that is away as long as the test wants.
class Away final : public EventLog {
public:
    explicit Away(EventLog& inner) : inner_(inner) {}
    Task<Result<void>> append(Context context, std::vector<Message> messages) override {
        if (away) co_return fail(Code::UNAVAILABLE, "the disk is full");
        co_return co_await inner_.append(context, std::move(messages));
    }
    Task<> deliver(std::string topic, std::string group, Consumer& consumer) override {
        return inner_.deliver(std::move(topic), std::move(group), consumer);
    }
    Task<Result<std::int64_t>> replay(Context context, std::string group,
                                      Consumer& consumer) override {
        return inner_.replay(context, std::move(group), consumer);
    }
    Task<Result<std::int64_t>> parked(Context context) override { return inner_.parked(context); }
    Task<Result<std::int64_t>> prune(Context context, Duration kept) override {
        return inner_.prune(context, kept);
    }
    bool away = true;

private:
    EventLog& inner_;
};

struct Lines final : Log {
    std::vector<std::string> seen;
    void write(Level, std::string_view what, std::initializer_list<LogField>,
               const Trace*) override {
        seen.emplace_back(what);
    }
};

int failures_of(const Relay& relay) {
    MetricsText out;
    relay.write(out, "urr_x");
    const std::string name = "\nurr_x_relay_failed_total ";
    return std::stoi(out.text().substr(out.text().find(name) + name.size()));
}

Task<> tells(Database& service, Database& events) {
    auto log = make_table_log(events, milliseconds(5));
    Away away(*log);
    Lines lines;
    Relay relay(service, away, "test", milliseconds(2), &lines);
    EXPECT_EQ(failures_of(relay), 0);
    const std::string data = "late";
    must(co_await service.transact(Context{}, publish, MessageId{IdBytes{9}}, IdBytes{1}, data));
    Collector collector;
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver("topic", "group", collector));
    while (failures_of(relay) < 5) must(co_await sleep(Context{}, milliseconds(1)));
    EXPECT_EQ(lines.seen, std::vector<std::string>{"relay_failed"});
    away.away = false;
    while (collector.seen.empty()) must(co_await sleep(Context{}, milliseconds(1)));
    while (lines.seen.size() < 2) must(co_await sleep(Context{}, milliseconds(1)));
    EXPECT_EQ(lines.seen.back(), "relay_recovered");
}

TEST_F(Events, a_relay_that_fails_is_counted_each_time_and_told_once) {
    run(tells(*service, *events));
}

// Whose turn it is to carry; empty: nobody's.
constexpr Statement relay_holder{"SELECT holder FROM lease WHERE name = 'relay' AND until_us > ?1"};
constexpr auto holder_work = [](Tx& tx) -> Task<Result<std::string>> {
    const Rows rows = TRY(co_await tx.run(relay_holder, {tx.now}));
    co_return rows.empty() ? std::string() : std::string(rows.text(0, 0));
};

Task<> waits_its_turn(Database& service, Database& events) {
    auto log = make_table_log(events, milliseconds(5));
    Lines lines;
    Relay first(service, *log, "first", milliseconds(2));
    Nursery nursery;
    nursery.spawn(first.run());
    while (must(co_await service.read(Context{}, holder_work)) != "first")
        must(co_await sleep(Context{}, milliseconds(2)));
    Relay second(service, *log, "second", milliseconds(2), &lines);
    nursery.spawn(second.run());
    must(co_await sleep(Context{}, milliseconds(50)));
    EXPECT_EQ(failures_of(second), 0);
    EXPECT_TRUE(lines.seen.empty());
    // The first ends in good order: nobody waits for its lease to run out.
    Collector collector;
    nursery.spawn(log->deliver("topic", "group", collector));
    co_await first.hand_over();
    EXPECT_NE(must(co_await service.read(Context{}, holder_work)), "first");
    const std::string data = "handed over";
    must(co_await service.transact(Context{}, publish, MessageId{IdBytes{8}}, IdBytes{1}, data));
    while (collector.seen.empty()) must(co_await sleep(Context{}, milliseconds(5)));
    nursery.clear();
}

TEST_F(Events, a_relay_that_waits_for_anothers_lease_has_not_failed) {
    run(waits_its_turn(*service, *events));
}

Task<> is_woken(Database& service, Database& events) {
    auto log = make_table_log(events, seconds(60));
    Relay relay(service, *log, "test", seconds(60)); // polls far too seldom
    Collector collector;
    Nursery nursery;
    nursery.spawn(relay.run());
    nursery.spawn(log->deliver("topic", "group", collector));
    must(co_await sleep(Context{}, milliseconds(50)));
    const Instant began = Loop::here().now();
    const std::string data = "at once";
    must(co_await service.transact(Context{}, publish, MessageId{IdBytes{9}}, IdBytes{1}, data));
    while (collector.seen.empty()) must(co_await sleep(Context{}, milliseconds(1)));
    EXPECT_LT((Loop::here().now() - began).us, seconds(50).us) << "before either would look";
}

TEST_F(Events, a_commit_wakes_the_relay_and_an_append_the_consumer) {
    run(is_woken(*service, *events));
}

// Answers by what the data says: "bad" is refused, "outage" cannot be tried while it is away.
struct Troubled final : Consumer {
    std::vector<std::string> seen;
    bool away = true;
    int outages = 0;
    Task<Result<void>> consume(Context, Message message) override {
        co_await yield();
        if (message.data == "bad") co_return fail(Code::INTERNAL);
        if (message.data == "outage" && away) {
            ++outages;
            co_return fail(Code::UNAVAILABLE);
        }
        seen.push_back(message.data);
        co_return Result<void>{};
    }
};

Message message_of(unsigned char key, const char* data) {
    Message message;
    message.id = MessageId{IdBytes{key, 1}};
    message.topic = "topic";
    message.key = IdBytes{key};
    message.data = data;
    return message;
}

Task<> one_in_trouble(Database& events) {
    auto log = make_table_log(events, milliseconds(5));
    Troubled consumer;
    Nursery nursery;
    nursery.spawn(log->deliver("topic", "group", consumer));
    must(co_await log->append(Context{}, {message_of(1, "bad"), message_of(2, "outage")}));
    for (unsigned char key = 3; key < 43; ++key) { // nobody waits for the two in trouble
        const std::size_t before = consumer.seen.size();
        must(co_await log->append(Context{}, {message_of(key, "good")}));
        while (consumer.seen.size() == before) must(co_await sleep(Context{}, milliseconds(1)));
    }
    while (consumer.outages < 7) must(co_await sleep(Context{}, milliseconds(5)));
    while (must(co_await log->parked(Context{})) == 0) // what was refused five times
        must(co_await sleep(Context{}, milliseconds(5)));
    consumer.away = false;
    while (std::ranges::find(consumer.seen, "outage") == consumer.seen.end())
        must(co_await sleep(Context{}, milliseconds(5)));
    EXPECT_EQ(consumer.seen.size(), 41u);
    EXPECT_EQ(must(co_await log->parked(Context{})), 1) << "an outage parks nothing";
}

TEST_F(Events, a_key_in_trouble_holds_up_nobody_else) { run(one_in_trouble(*events)); }

Task<> two_topics(Database& events) {
    auto log = make_table_log(events, milliseconds(5));
    Collector one, other;
    Nursery nursery;
    Message elsewhere = message_of(1, "elsewhere");
    elsewhere.topic = "another";
    for (int i = 0; i < 300; ++i) must(co_await log->append(Context{}, {message_of(1, "here")}));
    must(co_await log->append(Context{}, {elsewhere}));
    nursery.spawn(log->deliver("another", "group", other));
    while (other.seen.empty()) must(co_await sleep(Context{}, milliseconds(5)));
    must(co_await sleep(Context{}, milliseconds(100)));
    nursery.spawn(log->deliver("topic", "group", one));
    while (one.seen.size() < 300) must(co_await sleep(Context{}, milliseconds(5)));
    // Once both positions are stored, what is old goes; a group that comes later finds nothing.
    for (std::int64_t gone = 0; gone < 301;) {
        gone += must(co_await log->prune(Context{}, milliseconds(0)));
        must(co_await sleep(Context{}, milliseconds(10)));
    }
    EXPECT_EQ(other.seen.size(), 1u);
    EXPECT_EQ(one.seen.size(), 300u);
}

TEST_F(Events, a_group_has_a_place_in_each_topic_and_old_messages_go) { run(two_topics(*events)); }

const std::string topic = "topic"; // outlives the works that refer to it

constexpr auto position_work = [](Tx& tx, const std::string& group) -> Task<Result<std::int64_t>> {
    static constexpr Statement find{"SELECT position FROM group_position WHERE grp = ?1"};
    const Rows rows = TRY(co_await tx.run(find, {group}));
    co_return rows.empty() ? std::int64_t(-1) : rows.integer(0, 0);
};
constexpr auto set_position_work = [](Tx& tx, const std::string& group, std::int64_t position) {
    return set_position(tx, topic, group, position);
};
constexpr auto park_work = [](Tx& tx, const std::string& group, std::int64_t position) {
    return park_message(tx, topic, group, position, IdBytes{1});
};

Task<> until_at(Database& events, std::string group, std::int64_t position) {
    while (must(co_await events.read(Context{}, position_work, group)) < position)
        must(co_await sleep(Context{}, milliseconds(5)));
}

Task<> replaced(Database& events) {
    const std::string first = "line-1", second = "line-2", other = "statistics";
    auto log = make_table_log(events, milliseconds(5));
    const auto prune = [&]() { return log->prune(Context{}, Duration{}); };
    Collector of_first, of_second, of_other;
    Nursery nursery;
    nursery.spawn(log->deliver(topic, first, of_first));
    must(co_await log->append(Context{}, {message_of(1, "a")}));
    co_await until_at(events, first, 1);
    nursery.clear();
    must(co_await log->append(Context{}, {message_of(1, "b"), message_of(1, "c")}));
    nursery.spawn(log->deliver(topic, other, of_other));
    co_await until_at(events, other, 3);
    EXPECT_EQ(must(co_await prune()), 1);
    EXPECT_EQ(must(co_await prune()), 0); // it may only have stopped, for however long
    must(co_await events.transact(Context{}, park_work, first, std::int64_t(2)));
    must(co_await log->replace_groups(Context{}, topic, second, "line-"));
    EXPECT_EQ(must(co_await log->parked(Context{})), 0);
    EXPECT_EQ(must(co_await prune()), 0); // whoever reads in its place has not read it either
    nursery.spawn(log->deliver(topic, second, of_second));
    co_await until_at(events, second, 3);
    EXPECT_EQ(of_second.seen, (std::vector<std::string>{"b", "c"}));
    EXPECT_EQ(must(co_await prune()), 2);
    // What it still had under way brings it not back.
    EXPECT_FALSE(
        must(co_await events.transact(Context{}, set_position_work, first, std::int64_t(3))));
    EXPECT_EQ(must(co_await events.read(Context{}, position_work, first)), -1);
    EXPECT_EQ(must(co_await events.read(Context{}, position_work, other)), 3);
}

TEST_F(Events, a_group_that_another_replaces_holds_nothing_back_and_one_that_stopped_does) {
    run(replaced(*events));
}

Task<> goes_on_without_its_group(Database& events) {
    const std::string first = "line-1", second = "line-2";
    Lines lines;
    auto log = make_table_log(events, milliseconds(5), &lines);
    Collector consumer;
    Nursery nursery;
    nursery.spawn(log->deliver(topic, first, consumer));
    must(co_await log->append(Context{}, {message_of(1, "a")}));
    co_await until_at(events, first, 1);
    EXPECT_TRUE(lines.seen.empty());
    must(co_await log->replace_groups(Context{}, topic, second, "line-"));
    must(co_await log->append(Context{}, {message_of(1, "b")}));
    while (lines.seen.empty()) must(co_await sleep(Context{}, milliseconds(5)));
    // It has what it is given, and is not told of again until its group has been there.
    must(co_await log->append(Context{}, {message_of(1, "c")}));
    while (consumer.seen.size() < 3) must(co_await sleep(Context{}, milliseconds(5)));
    must(co_await sleep(Context{}, milliseconds(200)));
    EXPECT_EQ(lines.seen, std::vector<std::string>{"group_gone"});
    EXPECT_EQ(must(co_await events.read(Context{}, position_work, first)), -1);
    must(co_await log->replace_groups(Context{}, topic, first, "line-"));
    must(co_await log->append(Context{}, {message_of(1, "d")}));
    co_await until_at(events, first, 4);
    must(co_await log->replace_groups(Context{}, topic, second, "line-"));
    must(co_await log->append(Context{}, {message_of(1, "e")}));
    while (lines.seen.size() < 2) must(co_await sleep(Context{}, milliseconds(5)));
}

TEST_F(Events, a_reader_whose_group_is_gone_is_told_of_once) {
    run(goes_on_without_its_group(*events));
}

// A group that has settled nothing yet needs what it was given.
struct Never final : Consumer {
    Gate asked;
    Task<Result<void>> consume(Context, Message) override {
        asked.open();
        co_return fail(Code::UNAVAILABLE);
    }
};

Task<> stuck_at_its_first(Database& events) {
    auto log = make_table_log(events, milliseconds(5));
    Never consumer;
    Nursery nursery;
    nursery.spawn(log->deliver(topic, "group", consumer));
    must(co_await log->append(Context{}, {message_of(1, "a")}));
    must(co_await consumer.asked.wait(Context{}));
    EXPECT_EQ(must(co_await log->prune(Context{}, Duration{})), 0);
}

TEST_F(Events, what_a_group_has_not_taken_is_kept_from_its_first_message_on) {
    run(stuck_at_its_first(*events));
}

Task<> hear_rings(Bells& bells, std::atomic<bool>& listening, int& heard) {
    Bell bell(bells);
    listening = true;
    Context patience;
    patience.deadline = Loop::here().now() + minutes(2);
    for (int i = 0; i < 100; ++i) {
        bell.mute();
        heard += (co_await bell.wait(patience)).has_value();
    }
}

TEST_F(Events, a_bell_is_heard_from_another_thread_and_may_be_gone) {
    Bells bells;
    std::atomic<bool> listening{false}, stop{false};
    std::thread ringer([&] {
        while (!listening) std::this_thread::yield();
        while (!stop) {
            bells.ring();
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    });
    int heard = 0;
    run(hear_rings(bells, listening, heard));
    EXPECT_EQ(heard, 100);
    stop = true;
    ringer.join();
}

} // namespace
} // namespace urr
