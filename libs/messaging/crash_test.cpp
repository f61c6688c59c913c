// From a service's outbox to a consumer's effect under crashes, by seed: every event that was
// acknowledged takes effect, each once, in order per key. And the converse: a consumer that keeps
// no inbox is found.
#include <gtest/gtest.h>

#include <map>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "libs/sql/outbox.hpp"
#include "libs/sql/sim/sim_disk.hpp"

namespace urr {
namespace {

constexpr int keys = 5;

constexpr Statement insert_effect{"INSERT INTO effect (key, n) VALUES (?1, ?2)"};
constexpr Statement all_effects{"SELECT key, n FROM effect ORDER BY id"};
constexpr Statement all_sources{"SELECT key, n FROM source ORDER BY id"};
constexpr Statement insert_source{"INSERT INTO source (key, n) VALUES (?1, ?2)"};

const Migration producer_tables[] = {
    {1, "shared", shared_tables},
    {2, "source", "CREATE TABLE source (id INTEGER PRIMARY KEY, key BLOB, n INTEGER)"}};
const Migration consumer_tables[] = {
    {1, "shared", shared_tables},
    {2, "effect", "CREATE TABLE effect (id INTEGER PRIMARY KEY, key BLOB, n INTEGER)"}};

constexpr auto publish = [](Tx& tx, MessageId id, IdBytes key,
                            std::int64_t n) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert_source, {key, n}));
    const std::string data = std::to_string(n);
    TRY(co_await append_event(tx, id, {"numbers", key, "Number", 1, data, ""}));
    co_return true;
};

constexpr auto take = [](Tx& tx, const Message& message, bool has_inbox) -> Task<Result<bool>> {
    if (has_inbox && !TRY(co_await first_time(tx, "crash", message.id))) co_return false;
    TRY(co_await tx.run(insert_effect, {message.key, std::int64_t(std::stoll(message.data))}));
    co_return true;
};

struct Taker final : Consumer {
    Database& database;
    bool has_inbox;
    Taker(Database& to, bool inbox) : database(to), has_inbox(inbox) {}
    Task<Result<void>> consume(Context context, Message message) override {
        TRY(co_await database.transact(context, take, std::move(message), has_inbox));
        co_return Result<void>{};
    }
};

struct WorldClock final : Clock {
    const SimWorld& world;
    explicit WorldClock(const SimWorld& of) : world(of) {}
    Instant now() const override { return {world.now().us + 1'800'000'000'000'000}; }
    Instant steady() const override { return world.now(); }
};

class Lives {
public:
    Lives(std::uint64_t seed, bool inbox)
        : has_inbox_(inbox), world_(seed), clock_(world_), loop_(world_), disk_(seed, clock_) {}

    // True: the promises held.
    bool through(int count) {
        for (int life = 0; life < count; ++life) live(true);
        live(false); // the last one has time to finish
        while (world_.step()) {
        }
        return effects_ == sources_ && effects_.size() == keys && published_ > 0;
    }

private:
    std::unique_ptr<SqliteDatabase> open(const char* path, std::span<const Migration> tables) {
        SqliteOptions options;
        options.path = path;
        options.clock = &clock_;
        options.vfs = disk_.vfs();
        auto database = open_sqlite_on_loop(options, loop_, world_.random());
        if (!database || !migrate(**database, tables)) return nullptr;
        return std::move(*database);
    }
    static Task<> producer(Lives& lives, Database& database, IdBytes key) {
        for (;;) {
            const MessageId id = MessageId::make(lives.clock_.now(), lives.world_.random());
            if (co_await database.transact(Context{}, publish, id, key, lives.next_++))
                ++lives.published_;
            (void)co_await sleep(Context{}, milliseconds(3));
        }
    }
    void live(bool crashes) {
        SimDisk::Faults faults;
        if (crashes) faults.die_at = disk_.counters().operations + world_.random().between(60, 500);
        disk_.set(faults);
        {
            Loop::Enter in(&loop_);
            const auto from = open("from.db", producer_tables);
            const auto events = open("events.db", event_log_migrations);
            const auto to = open("to.db", consumer_tables);
            if (from && events && to) run(*from, *events, *to, crashes);
            disk_.die();
        }
        world_.random().chance(500) ? disk_.power_cut() : disk_.process_killed();
        if (!crashes) look();
    }
    void run(Database& from, Database& events, Database& to, bool crashes) {
        auto log = make_table_log(events);
        Taker taker(to, has_inbox_);
        Relay relay(from, *log, "sim");
        Nursery nursery;
        nursery.spawn(relay.run());
        nursery.spawn(log->deliver("numbers", "takers", taker));
        for (unsigned char k = 1; k <= keys && crashes; ++k)
            nursery.spawn(producer(*this, from, IdBytes{k}));
        if (crashes)
            for (int i = 0; i < 5000 && !disk_.dead(); ++i) world_.step();
        else
            world_.run_until(world_.now() + seconds(5));
        disk_.die();
    }
    // Per key, in their order.
    static std::map<IdBytes, std::vector<std::int64_t>> by_key(const Rows& rows) {
        std::map<IdBytes, std::vector<std::int64_t>> out;
        for (std::size_t i = 0; i < rows.size(); ++i)
            out[Id<void>::from(rows.bytes(i, 0)).bytes].push_back(rows.integer(i, 1));
        return out;
    }
    void look() {
        Loop::Enter in(&loop_);
        sources_ = by_key(must(open("from.db", producer_tables)->ask(all_sources)));
        effects_ = by_key(must(open("to.db", consumer_tables)->ask(all_effects)));
    }

    const bool has_inbox_;
    SimWorld world_;
    WorldClock clock_;
    SimLoop loop_;
    SimDisk disk_;
    std::int64_t next_ = 1;
    std::int64_t published_ = 0;
    std::map<IdBytes, std::vector<std::int64_t>> sources_, effects_;
};

TEST(Crashes, every_event_takes_effect_once_and_in_order) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed)
        ASSERT_TRUE(Lives(seed, true).through(4)) << "seed " << seed;
}

TEST(Crashes, a_consumer_without_an_inbox_is_found) {
    int bad = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) bad += !Lives(seed, false).through(4);
    EXPECT_GT(bad, 5);
}

} // namespace
} // namespace urr
