// The store's promises under crashes, by seed: what was acknowledged is there, what was not is
// there wholly or not at all. And the converse: planted bugs are found.
#include "libs/sql/sim/sim_disk.hpp"

#include <gtest/gtest.h>

#include <set>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/migrations.hpp"

namespace urr {
namespace {

constexpr Statement insert_half{"INSERT INTO half (n, side) VALUES (?1, ?2)"};
constexpr Statement all_halves{"SELECT n, side FROM half ORDER BY n, side"};
constexpr Statement integrity{"PRAGMA integrity_check"};

constexpr Migration tables[] = {
    {1, "halves", "CREATE TABLE half (n INTEGER, side INTEGER, PRIMARY KEY (n, side))"}};

// Writes a pair: both halves or none.
constexpr auto add_pair = [](Tx& tx, std::int64_t n) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert_half, {n, 0}));
    TRY(co_await tx.run(insert_half, {n, 1}));
    co_return true;
};

// A simulated clock that follows the world's time.
struct WorldClock final : Clock {
    const SimWorld& world;
    explicit WorldClock(const SimWorld& of) : world(of) {}
    Instant now() const override { return {world.now().us + 1'800'000'000'000'000}; }
    Instant steady() const override { return world.now(); }
};

struct Plan {
    bool power_cuts = true;     // else kill -9
    bool kills_between = false; // every second life ends by kill -9
    const char* synchronous = "FULL";
    bool acknowledge_before_commit = false;
    unsigned sync_fails_permille = 0;
};

struct Outcome {
    bool good = true;
    int acknowledged = 0;
    std::uint64_t digest = 0;
    SimDisk::Counters disk;
};

// One seed: lives of a process that end in crashes, with the promises checked after each.
class Lives {
public:
    Lives(std::uint64_t seed, Plan plan)
        : plan_(plan), world_(seed), clock_(world_), loop_(world_), disk_(seed, clock_) {}

    Outcome through(int count) {
        for (int life = 0; life < count && outcome_.good; ++life) live(life);
        outcome_.digest = disk_.digest() ^ world_.steps();
        outcome_.disk = disk_.counters();
        while (world_.step()) {
        }
        return outcome_;
    }

private:
    static Task<> writer(Lives& lives, Database& database) {
        for (;;) {
            const std::int64_t n = lives.next_++;
            if (co_await database.transact(Context{}, add_pair, n)) lives.acknowledged_.insert(n);
            (void)co_await sleep(Context{}, microseconds(100));
        }
    }
    Result<std::unique_ptr<SqliteDatabase>> open() {
        Loop::Enter in(&loop_);
        SqliteOptions options;
        options.path = "half.db";
        options.clock = &clock_;
        options.vfs = disk_.vfs();
        options.synchronous = plan_.synchronous;
        options.acknowledge_before_commit = plan_.acknowledge_before_commit;
        auto database = TRY_PLAIN(open_sqlite_on_loop(options, loop_, world_.random()));
        TRY_PLAIN(migrate(*database, tables));
        return database;
    }
    void live(int life) {
        SimDisk::Faults faults;
        faults.die_at = disk_.counters().operations + world_.random().between(5, 150);
        faults.sync_fails_permille =
            life == 0 && !plan_.kills_between ? 0 : plan_.sync_fails_permille;
        disk_.set(faults);
        if (auto database = open()) {
            Nursery nursery;
            {
                Loop::Enter in(&loop_);
                for (int i = 0; i < 6; ++i) nursery.spawn(writer(*this, **database));
            }
            for (int i = 0; i < 3000 && !disk_.dead(); ++i) world_.step();
            // The process lives on a little: what it still says must be true.
            for (auto steps = world_.random().below(40); steps > 0; --steps) world_.step();
            disk_.die();
            nursery.clear();
        }
        const bool killed = !plan_.power_cuts || (plan_.kills_between && life % 2 == 0);
        killed ? disk_.process_killed() : disk_.power_cut();
        check();
    }
    void check() {
        disk_.set({});
        auto database = open();
        if (!database) {
            outcome_.good = false;
            return;
        }
        outcome_.good &= must((*database)->ask(integrity)).text(0, 0) == "ok";
        const Rows rows = must((*database)->ask(all_halves));
        std::set<std::int64_t> first, second;
        for (std::size_t i = 0; i < rows.size(); ++i)
            (rows.integer(i, 1) ? second : first).insert(rows.integer(i, 0));
        outcome_.good &= first == second;
        for (const std::int64_t n : acknowledged_) outcome_.good &= first.contains(n);
        outcome_.acknowledged = int(acknowledged_.size());
        // Who looked is killed too: closing in order would write the log into the file.
        disk_.die();
        database->reset();
        disk_.process_killed();
    }

    const Plan plan_;
    SimWorld world_;
    WorldClock clock_;
    SimLoop loop_;
    SimDisk disk_;
    std::int64_t next_ = 0;
    std::set<std::int64_t> acknowledged_;
    Outcome outcome_;
};

int bad_seeds(int seeds, Plan plan) {
    int bad = 0;
    std::int64_t acknowledged = 0, torn = 0, failed_syncs = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
        const Outcome outcome = Lives(std::uint64_t(seed), plan).through(3);
        bad += !outcome.good;
        acknowledged += outcome.acknowledged;
        torn += outcome.disk.torn_writes;
        failed_syncs += outcome.disk.failed_syncs;
    }
    EXPECT_GT(acknowledged, seeds); // it did something
    if (plan.power_cuts) EXPECT_GT(torn, 0);
    if (plan.sync_fails_permille) EXPECT_GT(failed_syncs, 0);
    return bad;
}

TEST(SimDisk, power_cuts_lose_nothing_acknowledged_and_leave_no_halves) {
    EXPECT_EQ(bad_seeds(200, {}), 0);
}

TEST(SimDisk, neither_do_kills) { EXPECT_EQ(bad_seeds(50, {.power_cuts = false}), 0); }

TEST(SimDisk, nor_syncs_that_fail) { EXPECT_EQ(bad_seeds(100, {.sync_fails_permille = 30}), 0); }

// What a failed sync left in the kernel's memory alone must not be built on by the next process.
TEST(SimDisk, nor_syncs_that_fail_when_the_process_is_started_again_before_the_power_goes) {
    EXPECT_EQ(bad_seeds(300, {.kills_between = true, .sync_fails_permille = 60}), 0);
}

TEST(SimDisk, a_store_that_does_not_sync_is_found) {
    EXPECT_GT(bad_seeds(20, {.synchronous = "OFF"}), 10);
}

TEST(SimDisk, a_store_that_answers_before_its_commit_is_found) {
    EXPECT_GT(bad_seeds(50, {.acknowledge_before_commit = true}), 5);
}

TEST(SimDisk, the_same_seed_is_the_same_run) {
    const Outcome first = Lives(7, {}).through(3), again = Lives(7, {}).through(3);
    EXPECT_EQ(first.digest, again.digest);
    EXPECT_NE(first.digest, Lives(8, {}).through(3).digest);
}

} // namespace
} // namespace urr
