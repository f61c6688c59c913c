#include "tests/engines/events_world.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <numeric>

#include "libs/messaging/kafka/topics.hpp"
#include "libs/messaging/table_log.hpp"
#include "libs/sql/outbox.hpp"

namespace urr {

namespace fs = std::filesystem;

namespace {

const Migration tables[] = {
    {1, "shared", shared_tables},
    {2, "effect",
     "CREATE TABLE effect (place INTEGER PRIMARY KEY, taker TEXT, key INTEGER, n INTEGER)"}};

constexpr Statement insert_effect{"INSERT INTO effect (taker, key, n) VALUES (?1, ?2, ?3)"};
constexpr Statement all_effects{"SELECT key, n FROM effect WHERE taker = ?1 ORDER BY place"};
constexpr Statement number_of_effects{"SELECT count(*) FROM effect WHERE taker = ?1"};

constexpr auto take_work = [](Tx& tx, const std::string& taker,
                              const Message& message) -> Task<Result<bool>> {
    if (!TRY(co_await first_time(tx, taker, message.id))) co_return false;
    TRY(co_await tx.run(insert_effect,
                        {taker, int(message.key[0]) * 256 + int(message.key[1]), message.seq}));
    co_return true;
};
constexpr auto publish_work = [](Tx& tx, const Message& message) -> Task<Result<bool>> {
    TRY(co_await append_event(tx, message.id,
                              {message.topic, message.key, message.type, 1, message.data, ""}));
    co_return true;
};
using Effects = std::map<int, std::vector<int>>;
constexpr auto effects_work = [](Tx& tx, const std::string& taker) -> Task<Result<Effects>> {
    const Rows rows = TRY(co_await tx.run(all_effects, {taker}));
    Effects effects;
    for (std::size_t i = 0; i < rows.size(); ++i)
        effects[int(rows.integer(i, 0))].push_back(int(rows.integer(i, 1)));
    co_return effects;
};
constexpr auto count_work = [](Tx& tx, const std::string& taker) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(number_of_effects, {taker})).integer(0, 0);
};

std::string line_of(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

} // namespace

TestKafka TestKafka::find() {
    const char* folder = std::getenv("URR_TEST_KAFKA");
    TestKafka found{folder ? folder : "", 0};
    const std::string port = line_of(found.folder + "/port");
    if (port.empty()) {
        std::fprintf(stderr, "no Kafka: run this by ctest, or set URR_TEST_KAFKA to the folder of "
                             "scripts/engines/kafka.sh\n");
        std::abort();
    }
    found.port = std::stoi(port);
    return found;
}

KafkaOptions TestKafka::options(int brokers) const {
    KafkaOptions options;
    for (int i = 0; i < brokers; ++i) options.brokers += (i ? "," : "") + broker(i);
    options.security = KafkaOptions::Security::plaintext;
    options.replicas = brokers;
    options.min_isr = brokers > 1 ? 2 : 1;
    options.append_timeout = seconds(60); // longer than a busy machine needs
    options.session = seconds(6);         // the least that a broker takes
    return options;
}

std::string TestKafka::secret(const char* file) const { return line_of(folder + "/" + file); }

int TestKafka::pid(int node) const {
    return std::stoi(line_of(folder + "/b" + std::to_string(node) + ".pid"));
}

void TestKafka::signal(int number, int node) const { ::kill(pid(node), number); }

void TestKafka::kill(int node) const {
    const int process = pid(node);
    ::kill(process, SIGKILL);
    while (::kill(process, 0) == 0) ::usleep(10'000);
}

void TestKafka::start(int node) const {
    const std::string command =
        URR_SOURCE "/scripts/engines/kafka.sh start " + folder + " " + std::to_string(node);
    if (std::system(command.c_str()) != 0) std::abort();
}

void TestLog::write(Level, std::string_view what, std::initializer_list<LogField> fields,
                    const Trace*) {
    std::lock_guard guard(mutex_);
    std::string line(what);
    for (const LogField& field : fields) line += " " + std::string(field.name) + "=" + field.text;
    lines_.push_back(std::move(line));
}

int TestLog::count(std::string_view what) const {
    std::lock_guard guard(mutex_);
    return int(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.starts_with(what); }));
}

std::string TestLog::text() const {
    std::lock_guard guard(mutex_);
    return std::accumulate(
        lines_.begin(), lines_.end(), std::string(),
        [](std::string all, const std::string& line) { return std::move(all) + line + "\n"; });
}

Task<Result<void>> Taker::consume(Context context, Message message) {
    ++calls;
    if (shut) (void)co_await opened_.wait(Context{});
    if (!mended && message.data == "bad") co_return fail(Code::INTERNAL);
    if (!mended && message.data == "outage") co_return fail(Code::UNAVAILABLE);
    TRY(co_await database_.transact(context, take_work, name_, std::move(message)));
    if (silent) (void)co_await never_.wait(Context{});
    co_return Result<void>{};
}

EventsWorld::EventsWorld(Engine engine, int brokers) : engine_(engine) {
    topic = "test-" + MessageId::make(clock_.now(), random_).text();
    group = "group-" + topic;
    folder_ = fs::temp_directory_path() / ("urr_" + topic);
    fs::create_directories(folder_);
    from_ = open("from.db");
    to_ = open("to.db");
    events_ = open("events.db");
    must(migrate(*from_, tables));
    must(migrate(*to_, tables));
    must(migrate(*events_, event_log_migrations));
    if (engine != Engine::kafka) return;
    kafka = TestKafka::find();
    options = kafka.options(brokers);
    const std::string_view topics[] = {topic};
    must(make_kafka_topics(options, log, topics));
}

EventsWorld::~EventsWorld() {
    from_.reset();
    to_.reset();
    events_.reset();
    fs::remove_all(folder_);
}

std::unique_ptr<SqliteDatabase> EventsWorld::open(const char* name) {
    SqliteOptions wanted;
    wanted.path = (folder_ / name).string();
    wanted.clock = &clock_;
    return must(open_sqlite(wanted));
}

std::unique_ptr<EventLog> EventsWorld::open_log() { return open_log(options); }

std::unique_ptr<EventLog> EventsWorld::open_log(const KafkaOptions& with) {
    if (engine_ == Engine::table) return make_table_log(*events_, milliseconds(5));
    return must(make_kafka_log(with, {{"", to_.get()}}, log));
}

Message EventsWorld::message(int key, int n, std::string data) {
    Message message;
    message.id = MessageId::make(clock_.now(), random_);
    message.topic = topic;
    message.type = "Number";
    message.occurred = clock_.now();
    message.key = {(unsigned char)(key / 256), (unsigned char)(key % 256)};
    message.seq = n;
    message.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    message.data = data.empty() ? "{\"n\":" + std::to_string(n) + "}" : std::move(data);
    return message;
}

std::vector<Message> EventsWorld::messages(int keys, int each) {
    std::vector<Message> all;
    for (int n = 1; n <= each; ++n)
        for (int key = 1; key <= keys; ++key) all.push_back(message(key, n));
    return all;
}

Task<Result<bool>> EventsWorld::publish(int key, int n) {
    co_return co_await from_->transact(Context{}, publish_work, message(key, n));
}

Task<Effects> EventsWorld::effects(const char* name) {
    co_return must(co_await to_->read(Context{}, effects_work, std::string(name)));
}

Task<int> EventsWorld::count_effects(const char* name) {
    co_return int(must(co_await to_->read(Context{}, count_work, std::string(name))));
}

Task<> EventsWorld::until_effects(int count, const char* name) {
    while (co_await count_effects(name) < count) (void)co_await sleep(Context{}, milliseconds(5));
}

void EventsWorld::run(Task<> body) {
    static constexpr auto until_done = [](Task<> inner, RunLoop& until) -> Task<> {
        co_await std::move(inner);
        until.stop();
    };
    Nursery nursery;
    Loop::Enter in(loop_.get());
    nursery.spawn(until_done(std::move(body), *loop_));
    loop_->run();
}

std::vector<int> up_to(int n) {
    std::vector<int> numbers(std::size_t(n), 0);
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

} // namespace urr
