// Several keepers on one store that loses answers, refuses and is slow, some of them killed: no
// place is given twice, the line moves, and what the store says is what was given. Time is
// simulated.
#include "services/waiting_room/common_keeper.hpp"

#include <gtest/gtest.h>

#include <set>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"

namespace urr::waiting_room {
namespace {

// What the processes share. Faults by the world's seed.
struct World {
    SimWorld sim{1};
    std::map<EventId, CommonRoom> rooms;
    std::map<std::uint64_t, EndedBlock> blocks;
    ServerLease server;
    unsigned faults_permille = 0;
    int writes = 0;

    explicit World(std::uint64_t seed) : sim(seed) {}
};

class SharedMemoryStore final : public CommonStore {
public:
    explicit SharedMemoryStore(World& world) : world_(world) {}
    bool away = false;

    Task<Result<CommonRooms>> read(Context context) override {
        TRY(co_await pause(context));
        if (away || fault()) co_return fail(Code::UNAVAILABLE);
        CommonRooms out{
            Instant{1'800'000'000'000'000} + (world_.sim.now() - Instant{0}), world_.server, {}};
        for (const auto& [event, room] : world_.rooms) out.rooms.push_back(room);
        co_return out;
    }
    Task<std::vector<Result<>>> write(Context context, std::vector<RoomWrite> writes) override {
        std::vector<Result<>> out;
        for (const RoomWrite& write : writes) out.push_back(co_await one(context, write));
        co_return out;
    }
    Task<Result<bool>> take(Context context, ServerLease seen, ServerLease wanted) override {
        TRY(co_await pause(context));
        if (away || fault()) co_return fail(Code::UNAVAILABLE);
        if (world_.server != seen) co_return false;
        world_.server = wanted;
        if (fault()) co_return fail(Code::OUTCOME_UNKNOWN);
        co_return true;
    }
    Task<Result<std::vector<Line::Void>>> voids(Context context, EventId, std::uint64_t,
                                                std::uint64_t serving) override {
        TRY(co_await pause(context));
        if (away || fault()) co_return fail(Code::UNAVAILABLE);
        std::vector<Line::Void> out;
        for (const auto& [first, block] : world_.blocks) {
            const std::uint64_t from = std::max(first + block.used, serving + 1);
            if (from < first + block.count) out.push_back({from, first + block.count - from});
        }
        co_return out;
    }

private:
    bool fault() { return world_.sim.random().chance(world_.faults_permille); }
    Task<Result<>> pause(Context context) {
        const auto span = milliseconds(world_.sim.random().between(1, fault() ? 2'500 : 8));
        co_return co_await sleep(context, span);
    }
    Task<Result<>> one(Context context, const RoomWrite& write) {
        // A write that takes too long for its caller may be done all the same.
        if (!co_await pause(context) && world_.sim.random().chance(500))
            co_return fail(Code::DEADLINE_EXCEEDED);
        if (away || fault()) co_return fail(Code::UNAVAILABLE);
        CommonRoom& stored = world_.rooms[write.room.record.event];
        if (stored.version + 1 != write.room.version) co_return fail(Code::CONFLICT);
        EXPECT_TRUE(write.room.record.epoch > stored.record.epoch ||
                    (write.room.record.next >= stored.record.next &&
                     write.room.record.serving >= stored.record.serving));
        EXPECT_LT(write.room.record.serving, write.room.record.next);
        stored = write.room;
        for (const EndedBlock& block : write.ended) world_.blocks.emplace(block.first, block);
        ++world_.writes;
        if (fault()) co_return fail(Code::OUTCOME_UNKNOWN);
        co_return Result<>{};
    }

    World& world_;
};

// One process: its loop, its view of the store, its keeper.
struct Process {
    SimLoop loop;
    SeededRandom random;
    SharedMemoryStore store;
    RoomTable table{{&loop}};
    CommonKeeper keeper;
    std::unique_ptr<Nursery> jobs = std::make_unique<Nursery>();

    Process(World& world, std::uint64_t seed)
        : loop(world.sim), random(seed), store(world),
          keeper(loop, table, store, random, RateRule{.adaptive = true}) {
        spawn(keeper.run());
    }
    void spawn(Task<> task) {
        Loop::Enter in(&loop);
        jobs->spawn(std::move(task));
    }
    void kill() {
        Loop::Enter in(&loop);
        jobs.reset();
    }
};

struct CommonKeeperTest : testing::Test {
    std::unique_ptr<World> world = std::make_unique<World>(5);
    std::vector<std::unique_ptr<Process>> processes;
    EventId event{{4, 5, 6}};
    std::uint64_t sequence = 0;
    std::map<std::uint64_t, Instant> given; // position, when
    std::uint64_t twice = 0;

    void start(int count, std::uint64_t seed = 5) {
        world = std::make_unique<World>(seed);
        for (int i = 0; i < count; ++i) add(seed);
    }
    Process& add(std::uint64_t seed) {
        return *processes.emplace_back(
            std::make_unique<Process>(*world, seed * 100 + processes.size()));
    }
    static Task<> send(Keeper& keeper, EventId event, Report report, std::optional<Code>& code) {
        const auto answer = co_await keeper.steer(event, report);
        code = answer ? Code::CONFLICT : answer.error().code(); // CONFLICT stands for success
    }
    Code steer(Process& at, RoomState state, std::uint64_t epoch = 1, std::uint64_t number = 0,
               std::uint32_t rate = 6'000) {
        Report report;
        report.epoch = epoch;
        report.sequence = number ? number : ++sequence;
        report.state = state;
        report.rate_per_minute = rate;
        std::optional<Code> code;
        at.spawn(send(at.keeper, event, report, code));
        while (!code) EXPECT_TRUE(world->sim.step());
        return *code;
    }
    void pass(Duration span) { world->sim.run_until(world->sim.now() + span); }
    // One who comes; takes a place if there is one at once, else makes the process want one.
    std::optional<Receipt> come(Process& at) {
        SharedRoom* room = at.table.find(event);
        if (!room) return std::nullopt;
        auto receipt = room->dispenser.take(at.loop.now());
        if (!receipt) {
            at.keeper.want_lease(*room);
            return std::nullopt;
        }
        if (!given.emplace(receipt->position, world->sim.now()).second) ++twice;
        return receipt;
    }
    std::uint64_t arrive(Process& at, int people) {
        std::uint64_t last = 0;
        for (int tries = 0; people > 0 && tries < 500; ++tries) {
            if (const auto receipt = come(at)) {
                last = receipt->position;
                --people;
            } else {
                pass(milliseconds(10));
            }
        }
        EXPECT_EQ(people, 0);
        return last;
    }
    const CommonRoom& stored() { return world->rooms[event]; }
};

TEST_F(CommonKeeperTest, two_processes_give_places_of_one_line) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::prequeue), Code::CONFLICT);
    pass(seconds(2)); // the other hears of it
    for (int i = 0; i < 200; ++i) {
        arrive(*processes[std::size_t(i % 2)], 3);
        pass(milliseconds(20));
    }
    EXPECT_EQ(given.size(), 600u);
    EXPECT_EQ(twice, 0u);
    Instant latest{0}; // nobody stands before one who came more than a second earlier
    for (const auto& [position, when] : given) {
        EXPECT_GE(when + seconds(1), latest);
        latest = std::max(latest, when);
    }
}

TEST_F(CommonKeeperTest, one_serves_and_the_other_takes_over_when_it_is_killed) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open), Code::CONFLICT);
    pass(seconds(2));
    EXPECT_NE(processes[0]->keeper.serves(), processes[1]->keeper.serves());
    const std::size_t server = processes[0]->keeper.serves() ? 0 : 1;
    Process& other = *processes[1 - server];
    arrive(other, 400);
    pass(seconds(3));
    EXPECT_EQ(steer(other, RoomState::open), Code::CONFLICT);
    const std::uint64_t before = stored().record.serving;
    EXPECT_GT(before, 50u);
    processes[server]->kill();
    for (int i = 0; i < 6; ++i) {
        pass(seconds(1));
        EXPECT_EQ(steer(other, RoomState::open), Code::CONFLICT);
    }
    EXPECT_TRUE(other.keeper.serves());
    EXPECT_EQ(world->server.fence, 2u);
    EXPECT_GT(stored().record.serving, before + 100);
}

TEST_F(CommonKeeperTest, a_block_whose_holder_was_killed_is_waited_for_and_then_passed) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open), Code::CONFLICT);
    pass(seconds(2));
    const std::size_t server = processes[0]->keeper.serves() ? 0 : 1;
    Process& holder = *processes[1 - server];
    arrive(holder, 1);
    holder.kill();
    const std::uint64_t last = arrive(*processes[server], 40);
    pass(seconds(3));
    EXPECT_LT(stored().record.serving, last); // it might still give places of it
    for (int i = 0; i < 6; ++i) {
        pass(seconds(1));
        EXPECT_EQ(steer(*processes[server], RoomState::open), Code::CONFLICT);
    }
    EXPECT_GE(stored().record.serving, last);
    EXPECT_EQ(stored().leases.size(), 0u);
}

TEST_F(CommonKeeperTest, an_older_report_is_stale_at_every_process) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open, 1, 10), Code::CONFLICT);
    EXPECT_EQ(steer(*processes[1], RoomState::paused, 1, 12), Code::CONFLICT);
    EXPECT_EQ(steer(*processes[0], RoomState::open, 1, 11), Code::REPORT_STALE);
    EXPECT_EQ(stored().record.state, RoomState::paused);
    pass(seconds(2));
    EXPECT_EQ(processes[0]->table.find(event)->view.read().state, RoomState::paused);
}

// Its answer was lost, or it went to another process after that; others have written since.
TEST_F(CommonKeeperTest, a_report_that_is_sent_again_is_no_stale_one) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open, 1, 10), Code::CONFLICT);
    pass(seconds(2));
    const std::uint64_t writer = stored().writer;
    arrive(*processes[1], 3);
    arrive(*processes[0], 3);
    EXPECT_NE(stored().writer, 0u);
    EXPECT_NE(writer, 0u);
    EXPECT_EQ(steer(*processes[0], RoomState::open, 1, 10), Code::CONFLICT); // stands for success
    EXPECT_EQ(steer(*processes[1], RoomState::open, 1, 10), Code::CONFLICT);
    EXPECT_EQ(steer(*processes[1], RoomState::open, 1, 9), Code::REPORT_STALE);
}

TEST_F(CommonKeeperTest, a_process_that_stops_answers_every_report_that_waits) {
    for (int steps = 0; steps < 30; ++steps) { // it is stopped at any step of the report's way
        processes.clear();
        start(1);
        EXPECT_EQ(steer(*processes[0], RoomState::prequeue, 1, 1), Code::CONFLICT);
        Process& at = *processes[0];
        Report report;
        report.epoch = 1;
        report.sequence = 2;
        report.state = RoomState::open;
        std::optional<Code> code;
        at.spawn(send(at.keeper, event, report, code));
        for (int i = 0; i < steps; ++i) world->sim.step();
        {
            Loop::Enter in(&at.loop);
            at.keeper.stop();
        }
        ++world->rooms[event].version; // another process was quicker
        const std::uint64_t conflicts = at.keeper.counters().conflicts.load();
        for (int i = 0; i < 30 && at.keeper.counters().conflicts.load() == conflicts; ++i)
            world->sim.step();
        at.store.away = true;
        pass(seconds(20));
        ASSERT_TRUE(code) << "after " << steps << " steps";
    }
}

// A line that grows as long as that of the epoch before within a second: its blocks are not taken
// for those, whose holders would be gone by now.
TEST_F(CommonKeeperTest, a_reset_leaves_no_block_of_the_new_epoch_for_gone) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open), Code::CONFLICT);
    pass(seconds(2));
    const std::size_t server = processes[0]->keeper.serves() ? 0 : 1;
    Process& holder = *processes[1 - server];
    arrive(holder, 1);
    pass(seconds(6));
    EXPECT_EQ(steer(*processes[server], RoomState::open, 2), Code::CONFLICT);
    EXPECT_EQ(steer(holder, RoomState::open, 2), Code::CONFLICT); // so it knows of the reset
    given.clear();
    arrive(holder, 1);
    for (int i = 0; i < 60; ++i) {
        pass(milliseconds(50));
        if (i % 20 == 19) EXPECT_EQ(steer(*processes[server], RoomState::open, 2), Code::CONFLICT);
        const RoomRecord& record = stored().record;
        ASSERT_EQ(record.epoch, 2u);
        ASSERT_LE(record.serving - record.voids_served, given.size());
    }
    EXPECT_EQ(stored().record.serving, stored().record.next - 1);
}

TEST_F(CommonKeeperTest, a_reset_at_one_process_ends_the_blocks_of_all) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::prequeue), Code::CONFLICT);
    pass(seconds(2));
    arrive(*processes[1], 5);
    EXPECT_EQ(steer(*processes[0], RoomState::prequeue, 2), Code::CONFLICT);
    pass(seconds(2));
    given.clear();
    SharedRoom& room = *processes[1]->table.find(event);
    EXPECT_EQ(room.view.read().epoch, 2u);
    EXPECT_EQ(arrive(*processes[1], 1), 1u);
}

TEST_F(CommonKeeperTest, what_is_left_of_blocks_is_void_and_not_served) {
    start(3);
    EXPECT_EQ(steer(*processes[0], RoomState::prequeue), Code::CONFLICT);
    pass(seconds(2));
    for (int round = 0; round < 30; ++round) {
        arrive(*processes[std::size_t(round % 3)], 1);
        pass(milliseconds(400));
    }
    pass(seconds(3));
    EXPECT_EQ(stored().record.next - 1 - stored().voids, given.size());
    EXPECT_EQ(stored().leases.size(), 0u);
    // Two people a second: after twelve everybody but the last few, whatever lay between.
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(steer(*processes[1], RoomState::open, 1, 0, 120), Code::CONFLICT);
        pass(seconds(1));
    }
    const std::uint64_t served = stored().record.serving - stored().record.voids_served;
    EXPECT_GE(served, 18u);
    EXPECT_LE(served, 26u);
}

TEST_F(CommonKeeperTest, a_process_that_stops_ends_its_block_and_hands_over) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open), Code::CONFLICT);
    pass(seconds(2));
    const std::size_t server = processes[0]->keeper.serves() ? 0 : 1;
    arrive(*processes[server], 3);
    {
        Loop::Enter in(&processes[server]->loop);
        processes[server]->keeper.stop();
    }
    pass(seconds(2));
    ASSERT_LE(stored().leases.size(), 1u);
    for (const OutLease& lease : stored().leases) EXPECT_TRUE(lease.used);
    EXPECT_TRUE(processes[1 - server]->keeper.serves());
}

TEST_F(CommonKeeperTest, a_process_cut_off_from_the_store_gives_no_more_places_and_comes_back) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::prequeue), Code::CONFLICT);
    pass(seconds(2));
    Process& cut = *processes[1];
    arrive(cut, 2);
    cut.store.away = true;
    pass(seconds(2));
    EXPECT_FALSE(come(cut));
    pass(seconds(1));
    EXPECT_FALSE(come(cut));
    EXPECT_FALSE(cut.keeper.healthy());
    cut.store.away = false;
    arrive(cut, 2);
    EXPECT_EQ(twice, 0u);
}

// What was acknowledged is gone from the store, as after a restore: queue tells what it last saw.
TEST_F(CommonKeeperTest, a_store_that_went_back_is_gone_on_behind_what_was_seen) {
    start(2);
    EXPECT_EQ(steer(*processes[0], RoomState::open), Code::CONFLICT);
    pass(seconds(2));
    const CommonRoom before = stored();
    arrive(*processes[0], 40);
    arrive(*processes[1], 40);
    pass(seconds(3));
    const RoomView seen = processes[1]->table.find(event)->view.read();
    EXPECT_GT(seen.next, 80u);
    world->rooms[event] = before;
    Report report;
    report.epoch = 1;
    report.sequence = ++sequence;
    report.state = RoomState::open;
    report.rate_per_minute = 60'000;
    report.seen = SeenRoom{seen.phase, seen.next, seen.serving, seen.voids_served};
    std::optional<Code> code;
    processes[1]->spawn(send(processes[1]->keeper, event, report, code));
    while (!code) ASSERT_TRUE(world->sim.step());
    EXPECT_EQ(*code, Code::CONFLICT); // stands for success
    EXPECT_EQ(stored().record.phase, 1u);
    EXPECT_GE(stored().record.phase_first, seen.next);
    pass(seconds(2));
    for (auto& process : processes) EXPECT_GE(arrive(*process, 1), seen.next);
    EXPECT_EQ(twice, 0u);
}

// Any interleaving: three processes, some killed and replaced, a store with faults.
TEST_F(CommonKeeperTest, no_place_is_given_twice_whatever_fails) {
    const std::uint64_t seed = 77 + std::uint64_t(GTEST_FLAG_GET(random_seed));
    SCOPED_TRACE("--gtest_random_seed=" + std::to_string(seed - 77));
    for (std::uint64_t round = 0; round < 25; ++round) {
        processes.clear();
        given.clear();
        sequence = 0;
        start(3, seed + round);
        world->faults_permille = round % 5 ? 20 : 0;
        SeededRandom random(seed + round);
        for (int step = 0; step < 400; ++step) {
            Process& at = *processes[random.below(processes.size())];
            if (!at.jobs) continue;
            if (random.chance(150))
                (void)steer(at, RoomState::open, 1, 0, 600);
            else if (random.chance(10) && processes.size() < 8) {
                at.kill();
                add(seed + round);
            } else
                (void)come(at);
            pass(milliseconds(random.between(0, 60)));
        }
        ASSERT_EQ(twice, 0u) << "round " << round;
        EXPECT_GT(given.size(), 30u) << "round " << round;
        world->faults_permille = 0;
        for (int i = 0; i < 15; ++i) {
            pass(seconds(1));
            for (auto& process : processes)
                if (process->jobs) (void)steer(*process, RoomState::open, 1, 0, 6'000);
        }
        // Everybody was served, and nobody's place counted as void.
        EXPECT_EQ(stored().record.serving, stored().record.next - 1) << "round " << round;
        EXPECT_LE(given.size(), stored().record.next - 1 - stored().voids) << "round " << round;
        for (const auto& [first, block] : world->blocks)
            for (auto at = given.lower_bound(first + block.used);
                 at != given.end() && at->first < first + block.count; ++at)
                ADD_FAILURE() << "place " << at->first << " is void and somebody's";
    }
}

} // namespace
} // namespace urr::waiting_room
