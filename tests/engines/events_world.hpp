// What the tests of the event log share: a producer's and a consumer's database in a folder of
// their own, an engine of the log between them, and a consumer that writes what it was given.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/kafka/log.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/sql/migrations.hpp"

namespace urr {

// Of the server that ctest's fixture started.
struct TestKafka {
    std::string folder; // of scripts/engines/kafka.sh
    int port = 0;

    static TestKafka find();
    std::string broker(int offset = 0) const {
        return "127.0.0.1:" + std::to_string(port + offset);
    }
    KafkaOptions options(int brokers = 1) const;
    std::string secret(const char* file) const;
    int pid(int node = 1) const;
    // kill -9, and scripts/engines/kafka.sh start.
    void kill(int node = 1) const;
    void start(int node = 1) const;
    void signal(int signal, int node = 1) const;
};

// Lines of a log, for any thread.
class TestLog final : public Log {
public:
    void write(Level level, std::string_view what, std::initializer_list<LogField> fields,
               const Trace*) override;
    int count(std::string_view what) const;
    std::string text() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

// Takes effect once, in the consumer's database: an inbox and a row per effect. What the data says
// decides the answer: "bad" is refused until `mended`, "outage" cannot be tried until then.
class Taker final : public Consumer {
public:
    Taker(Database& database, std::string name) : database_(database), name_(std::move(name)) {}
    Task<Result<void>> consume(Context context, Message message) override;

    bool mended = false;
    // Effects are committed and their answers never come: the process is about to die.
    bool silent = false;
    bool shut = false; // nothing is done until release()
    int calls = 0;

    void release() {
        shut = false;
        opened_.open();
    }

private:
    Database& database_;
    const std::string name_;
    Gate never_, opened_;
};

enum class Engine : std::uint8_t { table, kafka };

class EventsWorld {
public:
    explicit EventsWorld(Engine engine, int brokers = 1);
    ~EventsWorld();

    std::unique_ptr<EventLog> open_log();
    std::unique_ptr<EventLog> open_log(const KafkaOptions& options);
    Database& from() { return *from_; }
    Database& to() { return *to_; }
    std::unique_ptr<Taker> taker(const char* name = "taker") {
        return std::make_unique<Taker>(*to_, name);
    }
    // The n-th message of a key, told by its data.
    Message message(int key, int n, std::string data = {});
    std::vector<Message> messages(int keys, int each);
    // In the outbox.
    Task<Result<bool>> publish(int key, int n);
    // n by key, in the order of their effects.
    Task<std::map<int, std::vector<int>>> effects(const char* name = "taker");
    Task<int> count_effects(const char* name = "taker");
    Task<> until_effects(int count, const char* name = "taker");

    // Runs to the end; the loop outlives what the body made.
    void run(Task<> body);

    TestKafka kafka;
    KafkaOptions options;
    TestLog log;
    std::string topic, group; // drawn anew for each world

private:
    std::unique_ptr<SqliteDatabase> open(const char* name);

    const Engine engine_;
    std::filesystem::path folder_;
    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<RunLoop> loop_ = make_asio_loop();
    std::unique_ptr<SqliteDatabase> from_, to_, events_;
};

// 1, 2, …, n.
std::vector<int> up_to(int n);

} // namespace urr
