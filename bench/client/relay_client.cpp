// Events from an outbox to the consumer's commit, by Kafka: relay_client BROKERS COUNT BYTES RATE.
// First COUNT events that wait in the outbox, as fast as they go; then RATE a second for five
// seconds, each timed from its commit to that of its effect. Prints one line of JSON.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "libs/async/nursery.hpp"
#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/kafka/log.hpp"
#include "libs/messaging/kafka/topics.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/outbox.hpp"

using namespace urr;

namespace {

const Migration tables[] = {
    {1, "shared", shared_tables},
    {2, "effect", "CREATE TABLE effect (place INTEGER PRIMARY KEY, key BLOB, n INTEGER)"}};

constexpr Statement insert_effect{"INSERT INTO effect (key, n) VALUES (?1, ?2)"};

constexpr auto take_work = [](Tx& tx, const Message& message) -> Task<Result<bool>> {
    if (!TRY(co_await first_time(tx, "bench", message.id))) co_return false;
    TRY(co_await tx.run(insert_effect, {message.key, message.seq}));
    co_return true;
};
constexpr auto publish_work = [](Tx& tx,
                                 const std::vector<Message>& messages) -> Task<Result<bool>> {
    for (const Message& m : messages)
        TRY(co_await append_event(tx, m.id, {m.topic, m.key, m.type, 1, m.data, m.traceparent}));
    co_return true;
};

// Notes when each event had taken effect; its data begin with when it was published.
struct Timed final : Consumer {
    explicit Timed(Database& to) : database(to) {}
    Task<Result<void>> consume(Context context, Message message) override {
        const std::int64_t began = std::strtoll(message.data.c_str() + 6, nullptr, 10);
        TRY(co_await database.transact(context, take_work, std::move(message)));
        ++count;
        if (timing) latencies.push_back(Loop::here().now().us - began);
        co_return Result<void>{};
    }
    Database& database;
    std::int64_t count = 0;
    bool timing = false;
    std::vector<std::int64_t> latencies;
};

struct Bench {
    std::string brokers, topic;
    int count = 0, bytes = 0, rate = 0;
    std::filesystem::path folder;
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<SqliteDatabase> from, to;

    std::unique_ptr<SqliteDatabase> open(const char* name) {
        SqliteOptions options;
        options.path = (folder / name).string();
        options.clock = &clock;
        auto database = must(open_sqlite(options));
        must(migrate(*database, tables));
        return database;
    }
    Message message(Instant now) {
        Message m;
        m.id = MessageId::make(clock.now(), random);
        m.topic = topic;
        m.type = "PaymentCaptured";
        m.key = make_id_bytes(clock.now(), random);
        m.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        m.data = "{\"at\":" + std::to_string(now.us) + ",\"x\":\"";
        m.data.append(std::size_t(std::max(0, bytes - int(m.data.size()) - 2)), 'x');
        m.data += "\"}";
        return m;
    }
    Task<> publish(int how_many) {
        std::vector<Message> batch;
        for (int i = 0; i < how_many; ++i) batch.push_back(message(Loop::here().now()));
        must(co_await from->transact(Context{}, publish_work, std::move(batch)));
    }
};

Task<> publish_at(Bench& bench) {
    const Instant began = Loop::here().now();
    for (int sent = 0; sent < bench.rate * 5;) {
        const std::int64_t due = (Loop::here().now() - began).us * bench.rate / 1'000'000;
        for (; sent < due; ++sent) co_await bench.publish(1);
        (void)co_await sleep(Context{}, milliseconds(1));
    }
}

Task<> measure(Bench& bench) {
    KafkaOptions options;
    options.brokers = bench.brokers;
    options.security = KafkaOptions::Security::plaintext;
    options.replicas = options.min_isr = 1;
    SilentLog silent;
    const std::string_view topics[] = {bench.topic};
    must(make_kafka_topics(options, silent, topics));
    const auto log = must(make_kafka_log(options, {{"", bench.to.get()}}, silent));
    Timed consumer(*bench.to);
    Nursery nursery;
    nursery.spawn(log->deliver(bench.topic, "bench-" + bench.topic, consumer));
    co_await bench.publish(1); // the first waits for the group
    {
        Relay first(*bench.from, *log, "bench", milliseconds(50));
        Nursery warming;
        warming.spawn(first.run());
        while (consumer.count < 1) (void)co_await sleep(Context{}, milliseconds(5));
        co_await first.hand_over();
    }
    for (int sent = 0; sent < bench.count; sent += 500) co_await bench.publish(500);
    Relay relay(*bench.from, *log, "bench", milliseconds(50));
    const Instant began = Loop::here().now();
    nursery.spawn(relay.run());
    while (consumer.count < bench.count + 1) (void)co_await sleep(Context{}, milliseconds(1));
    const double took = double((Loop::here().now() - began).us) / 1e6;
    const double rate = bench.count / took;
    consumer.timing = true;
    co_await publish_at(bench);
    while (consumer.count < bench.count + 1 + bench.rate * 5)
        (void)co_await sleep(Context{}, milliseconds(1));
    auto& all = consumer.latencies;
    std::ranges::sort(all);
    const auto at = [&](double share) {
        return double(all[std::size_t(double(all.size() - 1) * share)]) / 1000;
    };
    std::printf(
        "{\"events\":%d,\"perSecond\":%.0f,\"ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
        bench.count, rate, at(0.5), at(0.99), at(1));
}

} // namespace

int main(int count, char** given) {
    if (count != 5) {
        std::fprintf(stderr, "usage: relay_client BROKERS COUNT BYTES RATE\n");
        return 2;
    }
    Bench bench;
    bench.brokers = given[1];
    bench.count = std::atoi(given[2]);
    bench.bytes = std::atoi(given[3]);
    bench.rate = std::atoi(given[4]);
    bench.topic = "bench-" + MessageId::make(bench.clock.now(), bench.random).text();
    bench.folder = std::filesystem::temp_directory_path() / ("urr_" + bench.topic);
    std::filesystem::create_directories(bench.folder);
    bench.from = bench.open("from.db");
    bench.to = bench.open("to.db");
    const auto loop = make_asio_loop();
    {
        Loop::Enter in(loop.get());
        run_to_end(*loop, measure(bench));
    }
    bench.from.reset();
    bench.to.reset();
    std::filesystem::remove_all(bench.folder);
    return 0;
}
