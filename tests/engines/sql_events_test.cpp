// What the event log keeps in its services' databases, on either: the outbox that the relay reads
// unsent while others write to it, and the parking.
#include <map>
#include <numeric>

#include "libs/messaging/parking.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/replay.hpp"
#include "libs/sql/outbox.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

struct EventTables : OnBoth {};
INSTANTIATE_TEST_SUITE_P(, EventTables, both_kinds, kind_name);

constexpr auto publish_work = [](Tx& tx, MessageId id, IdBytes key,
                                 const std::string& data) -> Task<Result<bool>> {
    TRY(co_await append_event(tx, id, {"topic", key, "Number", 1, data, ""}));
    co_return true;
};

Message message_of(int key, int n) {
    Message message;
    message.id = {IdBytes{(unsigned char)key, (unsigned char)n}};
    message.topic = "topic";
    message.type = "Number";
    message.key = {(unsigned char)key};
    message.seq = n;
    message.data = std::to_string(n);
    return message;
}

using Numbers = std::map<int, std::vector<std::int64_t>>;

// Takes what the relay brings; some batches fail after half of them arrived.
struct Brokers final : EventLog {
    Numbers first_seen;
    std::int64_t count = 0;
    int batches = 0;
    Task<Result<void>> append(Context, std::vector<Message> messages) override {
        (void)co_await sleep(Context{}, milliseconds(1));
        const bool fails = ++batches % 4 == 0;
        if (fails) messages.resize(messages.size() / 2);
        for (const Message& m : messages) {
            auto& seen = first_seen[m.key[0]];
            if (std::ranges::find(seen, m.seq) != seen.end()) continue; // again
            seen.push_back(m.seq);
            ++count;
        }
        if (fails) co_return fail(Code::UNAVAILABLE);
        co_return Result<void>{};
    }
    Task<> deliver(std::string, std::string, Consumer&) override { co_return; }
    Task<Result<std::int64_t>> replay(Context, std::string, Consumer&) override {
        co_return std::int64_t(0);
    }
    Task<Result<std::int64_t>> parked(Context) override { co_return std::int64_t(0); }
    Task<Result<std::int64_t>> prune(Context, Duration) override { co_return std::int64_t(0); }
};

constexpr int keys = 8, each = 25, writers = 4;

Task<> write(Database& database, int writer, int& writing) {
    SystemRandom random;
    for (int n = 0; n < each; ++n)
        for (int key = 0; key < keys; ++key)
            must(co_await database.transact(Context{}, publish_work, MessageId::make({}, random),
                                            IdBytes{(unsigned char)key},
                                            std::to_string(writer * each + n)));
    --writing;
}

Task<> relays(TestStore& store) {
    Brokers brokers;
    Relay relay(store.pool(0), brokers, "test", milliseconds(2));
    int writing = writers;
    Nursery nursery;
    nursery.spawn(relay.run());
    for (int i = 0; i < writers; ++i) nursery.spawn(write(store.pool(std::size_t(i)), i, writing));
    while (writing > 0 || brokers.count < writers * keys * each)
        (void)co_await sleep(Context{}, milliseconds(2));
    for (const auto& [key, numbers] : brokers.first_seen) {
        std::vector<std::int64_t> all(std::size_t(writers * each));
        std::iota(all.begin(), all.end(), 1);
        EXPECT_EQ(numbers, all) << "key " << key;
    }
}

TEST_P(EventTables, the_relay_brings_each_key_in_order_while_several_write) {
    run_on(*loop, relays(*store));
}

const std::string group = "group", topic = "topic"; // outlive the coroutines that refer to them

constexpr auto park_work = [](Tx& tx, const Message& m) { return park_whole(tx, group, m); };
constexpr auto behind_work = [](Tx& tx, const Message& m) {
    return park_whole_behind(tx, group, m);
};
constexpr auto fetch_work = [](Tx& tx, const std::string& of, std::int64_t after) {
    return fetch_parked_whole(tx, of, after, 3);
};
constexpr auto unpark_work = [](Tx& tx, const std::string& of, const Logged& logged) {
    return unpark_whole(tx, of, logged);
};
constexpr auto count_work = [](Tx& tx) { return count_parked_whole(tx); };
constexpr auto keys_work = [](Tx& tx) { return find_parked_keys(tx, group, topic); };

struct Keeper final : Consumer {
    Numbers seen;
    int refused_key = -1;
    Task<Result<void>> consume(Context, Message message) override {
        co_await yield();
        if (message.key[0] == refused_key) co_return fail(Code::CONFLICT);
        seen[message.key[0]].push_back(message.seq);
        co_return Result<void>{};
    }
};

Task<> parks(TestStore& store) {
    Database& database = store.pool(0);
    EXPECT_FALSE(must(co_await database.transact(Context{}, behind_work, message_of(1, 1))));
    for (const int key : {1, 2}) {
        must(co_await database.transact(Context{}, park_work, message_of(key, 1)));
        for (int n = 1; n <= 5; ++n) // the first of them again
            EXPECT_TRUE(
                must(co_await database.transact(Context{}, behind_work, message_of(key, n))));
    }
    EXPECT_EQ(must(co_await database.read(Context{}, count_work)), 10);
    EXPECT_EQ(must(co_await database.read(Context{}, keys_work)).size(), 2u);
    Keeper keeper;
    keeper.refused_key = 2;
    EXPECT_EQ(
        must(co_await replay_parked(Context{}, database, group, keeper, fetch_work, unpark_work)),
        5);
    EXPECT_EQ(keeper.seen[1], (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
    EXPECT_EQ(must(co_await database.read(Context{}, keys_work)), std::vector<IdBytes>{IdBytes{2}});
    EXPECT_FALSE(must(co_await database.transact(Context{}, behind_work, message_of(1, 6))));
    keeper.refused_key = -1;
    EXPECT_EQ(
        must(co_await replay_parked(Context{}, database, group, keeper, fetch_work, unpark_work)),
        5);
    EXPECT_EQ(must(co_await database.read(Context{}, count_work)), 0);
}

TEST_P(EventTables, what_is_parked_comes_back_in_order_per_key) { run_on(*loop, parks(*store)); }

// As a delivery does it: behind those that are parked, or to the consumer.
Task<> deliver(Database& database, Keeper& keeper, bool& done) {
    for (int n = 2; n <= 60; ++n) {
        const Message message = message_of(1, n);
        if (!must(co_await database.transact(Context{}, behind_work, message)))
            must(co_await keeper.consume(Context{}, message));
    }
    done = true;
}

Task<> races(TestStore& store) {
    must(co_await store.pool(0).transact(Context{}, park_work, message_of(1, 1)));
    Keeper keeper;
    bool done = false;
    Nursery nursery;
    nursery.spawn(deliver(store.pool(1), keeper, done));
    std::int64_t left = 1;
    while (!done || left > 0) {
        must(co_await replay_parked(Context{}, store.pool(0), group, keeper, fetch_work,
                                    unpark_work));
        left = must(co_await store.pool(0).read(Context{}, count_work));
    }
    std::vector<std::int64_t> all(60);
    std::iota(all.begin(), all.end(), 1);
    EXPECT_EQ(keeper.seen[1], all);
}

TEST_P(EventTables, a_replay_beside_a_delivery_loses_and_overtakes_nothing) {
    run_on(*loop, races(*store));
}

} // namespace
} // namespace urr::engines
