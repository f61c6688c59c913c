// Rooms that several processes share: the same cases on one database and on a real DynamoDB server.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "libs/sql/migrations.hpp"
#include "libs/sql/sqlite_database.hpp"
#include "services/waiting_room/common_keeper.hpp"
#include "services/waiting_room/store/dynamodb_common_store.hpp"
#include "services/waiting_room/store/sql_common_store.hpp"
#include "tests/engines/aws_server.hpp"
#include "tests/engines/in_between.hpp"

namespace urr::waiting_room {
namespace {

const AwsServer& dynamodb() {
    static const AwsServer server("dynamodb", "URR_TEST_DYNAMODB");
    return server;
}

DynamoTables fresh_tables() {
    SystemRandom random;
    const std::string tail = std::to_string(random.next());
    return {"counters-" + tail, "positions-" + tail};
}

// What a test has of an engine: any number of processes' ways to one store.
class Engine {
public:
    explicit Engine(bool dynamo) : tables_(fresh_tables()) {
        if (dynamo) {
            AwsEnd end(dynamodb(), "dynamodb");
            must(end.run(create_tables(end.within(seconds(60)), end.client(), tables_)));
            return;
        }
        folder_ = std::filesystem::temp_directory_path() / ("urr-rooms-" + tables_.counters);
        std::filesystem::create_directories(folder_);
        SqliteOptions options;
        static const SystemClock clock;
        options.path = folder_ / "rooms.db";
        options.clock = &clock;
        database_ = must(open_sqlite(options));
        static const Migration all[] = {{1, "rooms", common_room_tables}};
        must(migrate(*database_, all));
    }
    ~Engine() {
        database_.reset();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    struct Way {
        std::unique_ptr<AwsEnd> end;
        std::unique_ptr<CommonStore> store;
    };
    Way way(std::uint16_t port = 0) {
        Way out;
        if (database_) {
            out.end = std::make_unique<AwsEnd>(aws::Endpoint{}, aws::Credentials{}, "none");
            out.store = make_sql_common_store(*database_);
        } else {
            out.end = std::make_unique<AwsEnd>(dynamodb(), "dynamodb", port);
            out.store = make_dynamodb_common_store(out.end->client(), tables_, out.end->clock());
        }
        return out;
    }

private:
    DynamoTables tables_;
    std::filesystem::path folder_;
    std::unique_ptr<SqliteDatabase> database_;
};

struct SharedRooms : testing::TestWithParam<bool> {
    Engine engine{GetParam()};
    Engine::Way one = engine.way(), two = engine.way();
    EventId event{{1, 2, 3}};

    static Task<Result<std::vector<Result<>>>> plain(Task<std::vector<Result<>>> task) {
        co_return co_await std::move(task);
    }
    static std::vector<Result<>> write(Engine::Way& by, std::vector<RoomWrite> writes) {
        return must(
            by.end->run(plain(by.store->write(by.end->within(seconds(60)), std::move(writes)))));
    }
    static Code write_one(Engine::Way& by, RoomWrite given) {
        std::vector<RoomWrite> writes;
        writes.push_back(std::move(given));
        const auto out = write(by, std::move(writes));
        return out[0] ? Code::INTERNAL : out[0].error().code(); // INTERNAL stands for success
    }
    static CommonRooms read(Engine::Way& by) {
        return must(by.end->run(by.store->read(by.end->within(seconds(60)))));
    }
    CommonRoom room(std::uint64_t version) const {
        CommonRoom out;
        out.record.event = event;
        out.record.epoch = 1'800'000'000'000'000;
        out.record.sequence = 7;
        out.record.state = RoomState::paused;
        out.record.phase = 3;
        out.record.rate_per_minute = 77;
        out.record.next = 9'000'000'000;
        out.record.serving = 12;
        out.record.voids_served = 5;
        out.record.phase_first = 4;
        out.voids = 6;
        out.leases = {{100, 32, 9, std::nullopt}, {132, 64, UINT64_MAX >> 1, 20}};
        out.reported = Instant{1'795'608'000'123'456};
        out.fence = 2;
        out.version = version;
        out.writer = 11;
        return out;
    }
};

TEST_P(SharedRooms, what_was_written_is_read_whole_by_others) {
    EXPECT_EQ(write_one(one, {room(1), {}}), Code::INTERNAL);
    const CommonRooms seen = read(two);
    ASSERT_EQ(seen.rooms.size(), 1u);
    EXPECT_EQ(seen.rooms[0], room(1));
    CommonRoom without = room(2);
    without.record.rate_per_minute.reset();
    without.leases.clear();
    EXPECT_EQ(write_one(two, {without, {}}), Code::INTERNAL);
    EXPECT_EQ(read(one).rooms[0], without);
}

TEST_P(SharedRooms, a_room_that_changed_meanwhile_is_not_written_nor_are_its_blocks) {
    EXPECT_EQ(write_one(one, {room(1), {}}), Code::INTERNAL);
    EXPECT_EQ(write_one(two, {room(1), {}}), Code::CONFLICT);
    EXPECT_EQ(write_one(one, {room(2), {}}), Code::INTERNAL);
    EXPECT_EQ(write_one(two, {room(2), {{100, 32, 1, 9}}}), Code::CONFLICT);
    const auto voids = must(two.end->run(
        two.store->voids(two.end->within(seconds(60)), event, room(1).record.epoch, 0)));
    EXPECT_EQ(voids.size(), 0u);
    CommonRoom other = room(1);
    other.record.event = EventId{{9}};
    std::vector<RoomWrite> mixed; // one outcome each
    mixed.push_back({room(2), {}});
    mixed.push_back({other, {}});
    const auto out = write(two, std::move(mixed));
    EXPECT_FALSE(out[0]);
    EXPECT_TRUE(out[1]);
}

TEST_P(SharedRooms, of_many_who_write_at_once_one_succeeds) {
    for (std::uint64_t version = 1; version <= 8; ++version) {
        std::atomic<int> won{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                Engine::Way by = engine.way();
                won += write_one(by, {room(version), {}}) == Code::INTERNAL;
            });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(won, 1) << version;
    }
}

TEST_P(SharedRooms, the_servers_lease_changes_hands_once) {
    const auto take = [&](Engine::Way& by, ServerLease seen, ServerLease wanted) {
        return must(by.end->run(by.store->take(by.end->within(seconds(60)), seen, wanted)));
    };
    EXPECT_EQ(read(one).server, ServerLease{});
    EXPECT_TRUE(take(one, {}, {5, 1, 0}));
    EXPECT_FALSE(take(two, {}, {6, 1, 0}));
    EXPECT_EQ(read(two).server, (ServerLease{5, 1, 0}));
    EXPECT_TRUE(take(one, {5, 1, 0}, {5, 1, 1}));
    EXPECT_FALSE(take(two, {5, 1, 0}, {6, 2, 0}));
    EXPECT_TRUE(take(two, {5, 1, 1}, {6, 2, 0}));
    EXPECT_FALSE(take(one, {5, 1, 1}, {5, 1, 2}));
}

TEST_P(SharedRooms, tells_what_nobody_has_beyond_who_is_served) {
    EXPECT_EQ(write_one(one, {room(1), {{1, 32, 10, 9}, {33, 32, 32, 9}, {65, 100, 0, 8}}}),
              Code::INTERNAL);
    CommonRoom later = room(2);
    later.record.epoch += 1;
    EXPECT_EQ(write_one(one, {later, {{1, 1000, 1, 9}}}), Code::INTERNAL);
    const auto voids = [&](std::uint64_t serving) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
        for (const Line::Void& range : must(two.end->run(two.store->voids(
                 two.end->within(seconds(60)), event, room(1).record.epoch, serving))))
            out.emplace_back(range.first, range.count);
        return out;
    };
    using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    EXPECT_EQ(voids(0), (Ranges{{11, 22}, {65, 100}}));
    EXPECT_EQ(voids(20), (Ranges{{21, 12}, {65, 100}}));
    EXPECT_EQ(voids(40), (Ranges{{65, 100}}));
    EXPECT_EQ(voids(100), (Ranges{{101, 64}}));
    EXPECT_EQ(voids(164), Ranges{});
}

TEST_P(SharedRooms, many_rooms_are_read_in_pages) {
    std::vector<RoomWrite> writes;
    for (unsigned char i = 0; i < 120; ++i) {
        CommonRoom each = room(1);
        each.record.event = EventId{{7, i}};
        each.leases.assign(800, {1, 1, UINT64_MAX >> 1, 1}); // 20 kB: more than a page in all
        writes.push_back({std::move(each), {}});
    }
    for (const auto& outcome : write(one, std::move(writes))) EXPECT_TRUE(outcome);
    std::set<std::string> events;
    for (const CommonRoom& each : read(two).rooms) events.insert(each.record.event.text());
    EXPECT_EQ(events.size(), 120u);
}

// --- keepers, each a process's: a thread, a loop, a way to the store

struct Process {
    Engine::Way way;
    RoomTable table{{&way.end->loop()}};
    std::unique_ptr<CommonKeeper> keeper;
    std::vector<std::pair<std::uint64_t, Instant>> given; // position, wall clock
    std::atomic<bool> taking{true};
    std::atomic<std::uint64_t> serving{0}, turns{0};
    std::atomic<std::size_t> places{0}; // how many were given, for other threads
    std::thread thread;

    explicit Process(Engine::Way by) : way(std::move(by)) {
        keeper = std::make_unique<CommonKeeper>(way.end->loop(), table, *way.store,
                                                way.end->random(), RateRule{.adaptive = true});
    }
    // Reports once in a while, takes places as long as it may, then waits to be killed.
    static Task<> live(Process& p, EventId event, Nursery& jobs) {
        Context context;
        must(co_await p.keeper->open(context));
        jobs.spawn(p.keeper->run());
        Instant next_report{0};
        while (true) {
            Report report;
            report.epoch = 1;
            report.state = RoomState::open;
            report.rate_per_minute = 60'000;
            report.sequence = std::uint64_t(p.way.end->clock().now().us);
            if (Loop::here().now() >= next_report) {
                (void)co_await p.keeper->steer(event, report);
                next_report = Loop::here().now() + milliseconds(700);
            }
            if (SharedRoom* room = p.table.find(event)) {
                p.serving = room->view.read().serving;
                for (int i = 0; i < 5 && p.taking; ++i) {
                    const auto receipt = room->dispenser.take(Loop::here().now());
                    if (receipt)
                        p.given.emplace_back(receipt->position, p.way.end->clock().now());
                    else
                        p.keeper->want_lease(*room);
                }
            }
            p.places = p.given.size();
            ++p.turns;
            (void)co_await sleep(context, milliseconds(5));
        }
    }
    void start(EventId event) {
        thread = std::thread([this, event] {
            Loop::Enter in(&way.end->loop());
            Nursery jobs;
            jobs.spawn(live(*this, event, jobs));
            way.end->loop().run();
        });
    }
    // Nothing is ended or handed over: what is in memory is gone.
    void kill() {
        way.end->loop().stop();
        if (thread.joinable()) thread.join();
    }
    ~Process() { kill(); }
};

void wait_until(const std::function<bool()>& met) {
    for (int i = 0; i < 9'000 && !met(); ++i) ::usleep(10'000); // a minute and a half
    EXPECT_TRUE(met());
}

TEST_P(SharedRooms, either_of_two_processes_may_be_killed_and_no_place_is_given_twice) {
    for (const int victim : {0, 1}) {
        if (victim && !GetParam()) continue; // once is enough there
        event = EventId{{5, (unsigned char)victim}};
        Process a(engine.way()), b(engine.way());
        Process& killed = victim ? b : a;
        Process& left = victim ? a : b;
        a.start(event);
        b.start(event);
        wait_until(
            [&] { return a.serving > 100 && b.serving > 100 && a.places > 50 && b.places > 50; });
        ::usleep(1'000'000);
        killed.kill();
        ::usleep(2'000'000);
        left.taking = false;
        const std::uint64_t turns = left.turns; // the one under way may still take some
        wait_until([&] { return left.turns > turns + 1; });
        std::map<std::uint64_t, Instant> all;
        for (const Process* each : {&a, &b})
            for (const auto& [position, when] : each->given)
                EXPECT_TRUE(all.emplace(position, when).second) << position;
        // And everybody is served, the places that the killed one took along passed over.
        wait_until([&] { return left.serving >= all.rbegin()->first; });
    }
}

TEST_P(SharedRooms, a_process_that_starts_later_knows_every_room) {
    {
        Process first(engine.way());
        first.start(event);
        wait_until([&] { return first.serving > 100; });
    }
    Process second(engine.way());
    second.taking = false;
    second.start(event);
    wait_until([&] { return second.serving > 100; });
}

INSTANTIATE_TEST_SUITE_P(Engines, SharedRooms, testing::Bool(),
                         [](const auto& info) { return info.param ? "DynamoDB" : "Database"; });

// --- what only the server can do

// Ended in order: DynamoDB Local loses what it acknowledged last when it is killed, which DynamoDB
// does not. A store that lost something is the concern of queue's reports (LostStore.*).
TEST(SharedRoomsOnDynamoDB, a_restart_of_the_server_loses_no_place_and_needs_nobodys_help) {
    AwsServer server("dynamodb", "URR_TEST_DYNAMODB");
    Engine engine(true);
    const EventId event{{6}};
    Process a(engine.way()), b(engine.way());
    a.start(event);
    b.start(event);
    wait_until([&] { return a.serving > 20 && b.serving > 20; });
    server.end();
    ::usleep(1'500'000);
    server.start();
    const std::uint64_t before = std::max(a.serving.load(), b.serving.load());
    wait_until([&] { return a.serving > before + 100 && b.serving > before + 100; });
    a.kill();
    b.kill();
    std::set<std::uint64_t> all;
    for (const Process* each : {&a, &b})
        for (const auto& [position, when] : each->given)
            EXPECT_TRUE(all.insert(position).second) << position;
}

TEST(SharedRoomsOnDynamoDB, a_server_that_hangs_stops_places_and_not_the_program) {
    AwsServer server("dynamodb", "URR_TEST_DYNAMODB");
    Engine engine(true);
    const EventId event{{6, 1}};
    Process a(engine.way());
    a.start(event);
    wait_until([&] { return a.serving > 20; });
    server.pause(true);
    wait_until([&] { return !a.keeper->healthy(); });
    server.pause(false);
    const std::uint64_t before = a.serving;
    wait_until([&] { return a.serving > before + 100; });
    a.kill();
    std::set<std::uint64_t> all;
    for (const auto& [position, when] : a.given) EXPECT_TRUE(all.insert(position).second);
}

// A third of the calls is refused or late, and of some that were done the answer is lost.
TEST(SharedRoomsOnDynamoDB, throttling_slowness_and_lost_answers_cost_no_place) {
    InBetween between(dynamodb().port());
    Engine engine(true);
    const EventId event{{6, 2}};
    Process a(engine.way(between.port())), b(engine.way());
    a.start(event);
    b.start(event);
    wait_until([&] { return a.serving > 20 && b.serving > 20; });
    between.throttled_permille = 150;
    between.broken_permille = 50;
    between.lost_permille = 100;
    between.late_ms = 60;
    const std::uint64_t before = std::max(a.serving.load(), b.serving.load());
    const std::size_t had = a.places;
    wait_until([&] { return between.refused > 10; });
    wait_until([&] { return a.serving > before + 100 && b.serving > before + 100; });
    EXPECT_GT(between.refused, 10);
    a.kill();
    b.kill();
    EXPECT_GT(a.given.size(), had);
    std::set<std::uint64_t> all;
    for (const Process* each : {&a, &b})
        for (const auto& [position, when] : each->given)
            EXPECT_TRUE(all.insert(position).second) << position;
}

} // namespace
} // namespace urr::waiting_room
