// The keeper and the dispenser by themselves: a store that fails, and loops that are real threads.
#include "services/waiting_room/sole_keeper.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"

namespace urr::waiting_room {
namespace {

// Keeps what was saved; fails when told to, before or after it has kept it.
class MemoryStore final : public RoomStore {
public:
    enum class Fault { none, refuse, lose_answer };
    Fault fault = Fault::none;
    RoomRecord room;
    std::map<std::uint64_t, std::uint64_t> leases; // first, count
    int saves = 0;

    Task<Result<OpenedStore>> open(Context) override { co_return OpenedStore{}; }
    Task<Result<Instant>> save(Context context, std::vector<RoomChange> changes) override {
        TRY(co_await sleep(context, milliseconds(3)));
        if (fault == Fault::refuse) co_return fail(Code::UNAVAILABLE);
        for (const RoomChange& change : changes) {
            EXPECT_TRUE(change.record.epoch > room.epoch || change.record.next >= room.next);
            room = change.record;
            for (const auto& lease : change.begun) leases[lease.first] = lease.count;
        }
        ++saves;
        if (fault == Fault::lose_answer) co_return fail(Code::OUTCOME_UNKNOWN);
        co_return Instant{1'800'000'000'000'000};
    }
};

struct KeeperTest : testing::Test {
    SimWorld world{5};
    SimLoop loop{world};
    SeededRandom random{5};
    MemoryStore store;
    RoomTable table{{&loop}};
    SoleKeeper keeper{loop, table, store, random, RateRule{.adaptive = true}};
    Nursery nursery;
    EventId event{{4, 5, 6}};
    std::uint64_t sequence = 0;

    KeeperTest() { spawn(keeper.run()); }
    void spawn(Task<> task) {
        Loop::Enter in(&loop);
        nursery.spawn(std::move(task));
    }
    static Task<> send(Keeper& keeper, EventId event, Report report, std::optional<Code>& code) {
        const auto answer = co_await keeper.steer(event, report);
        code = answer ? Code::CONFLICT : answer.error().code(); // CONFLICT stands for success
    }
    Code steer(RoomState state, std::uint64_t epoch = 1) {
        Report report;
        report.epoch = epoch;
        report.sequence = ++sequence;
        report.state = state;
        report.rate_per_minute = 6'000;
        std::optional<Code> code;
        spawn(send(keeper, event, report, code));
        while (!code.has_value()) EXPECT_TRUE(world.step());
        return *code;
    }
    std::optional<Receipt> take() {
        SharedRoom& room = *table.find(event);
        for (int turn = 0; turn < 3; ++turn) {
            if (const auto receipt = room.dispenser.take(loop.now())) return receipt;
            keeper.want_lease(room);
            world.run_until(world.now() + milliseconds(10));
        }
        return std::nullopt;
    }
};

TEST_F(KeeperTest, shows_nothing_that_the_store_does_not_have) {
    EXPECT_EQ(steer(RoomState::open), Code::CONFLICT);
    store.fault = MemoryStore::Fault::refuse;
    EXPECT_FALSE(take());
    EXPECT_EQ(steer(RoomState::paused), Code::UNAVAILABLE);
    EXPECT_EQ(table.find(event)->view.read().state, RoomState::open);
    EXPECT_GT(table.find(event)->failures.load(), 0u);
    store.fault = MemoryStore::Fault::none;
    world.run_until(world.now() + seconds(2)); // written again by itself
    EXPECT_EQ(store.room.state, RoomState::paused);
    EXPECT_EQ(table.find(event)->view.read().state, RoomState::paused);
    EXPECT_TRUE(take());
}

// Found by the simulator: for a moment it seemed to be off, and people got no place.
TEST_F(KeeperTest, a_room_is_not_there_before_its_first_state_is_stored) {
    store.fault = MemoryStore::Fault::refuse;
    EXPECT_EQ(steer(RoomState::open), Code::UNAVAILABLE);
    EXPECT_EQ(table.find(event), nullptr);
    store.fault = MemoryStore::Fault::none;
    EXPECT_EQ(steer(RoomState::open), Code::CONFLICT);
    EXPECT_NE(table.find(event), nullptr);
}

TEST_F(KeeperTest, writes_again_what_may_be_written_already) {
    steer(RoomState::open);
    store.fault = MemoryStore::Fault::lose_answer;
    EXPECT_FALSE(take());
    store.fault = MemoryStore::Fault::none;
    EXPECT_EQ(take()->position, 1u);
    EXPECT_EQ(store.leases.size(), 1u);
}

TEST_F(KeeperTest, gives_no_place_beyond_a_durable_lease) {
    steer(RoomState::prequeue);
    for (int i = 0; i < 3'000; ++i) {
        const auto receipt = take();
        ASSERT_TRUE(receipt);
        const auto lease = std::prev(store.leases.upper_bound(receipt->position));
        ASSERT_LT(receipt->position, lease->first + lease->second);
        if (i % 500 == 0) world.run_until(world.now() + milliseconds(700));
    }
}

TEST_F(KeeperTest, writes_nothing_while_nothing_happens) {
    steer(RoomState::open);
    const int saves = store.saves;
    for (int i = 0; i < 5; ++i) {
        steer(RoomState::open);
        world.run_until(world.now() + seconds(1));
    }
    EXPECT_EQ(store.saves, saves);
}

TEST_F(KeeperTest, ends_its_lease_after_a_second_and_counts_what_is_left_as_void) {
    steer(RoomState::prequeue);
    EXPECT_EQ(take()->position, 1u);
    world.run_until(world.now() + seconds(2));
    const auto next = take();
    EXPECT_EQ(next->position, lease_count_min + 1);
    EXPECT_EQ(next->voids_before, lease_count_min - 1);
}

// Real threads: many take from a dispenser while its owner opens and closes leases. Nobody holds a
// position twice, and the owner counts as used whatever the others hold. It counts more only where
// a thread slept between its addition and the reading of the terms until their slot was written
// over: the position is then nobody's, as `take` says.
TEST(Dispenser, counts_as_used_what_it_gave_to_all_threads) {
    constexpr std::size_t leases = 2'000;
    Dispenser dispenser;
    std::atomic<bool> done{false};
    std::array<std::vector<std::uint64_t>, 3> taken;
    std::vector<std::thread> threads;
    for (auto& mine : taken)
        threads.emplace_back([&] {
            while (!done.load(std::memory_order_acquire))
                if (const auto receipt = dispenser.take({0})) mine.push_back(receipt->position);
        });
    std::uint64_t first = 1;
    std::uint64_t used = 0;
    SeededRandom random(11);
    for (std::size_t lease = 0; lease < leases; ++lease) {
        Dispenser::Terms terms;
        terms.first = first;
        terms.count = 1 + random.below(200);
        terms.until = Instant{1};
        dispenser.open(terms);
        for (std::uint64_t spin = random.below(300); spin; --spin) (void)dispenser.given();
        used += dispenser.close(terms.count);
        first += terms.count;
    }
    done.store(true, std::memory_order_release);
    for (auto& thread : threads) thread.join();
    std::set<std::uint64_t> all;
    std::size_t count = 0;
    for (const auto& mine : taken) {
        EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
        all.insert(mine.begin(), mine.end());
        count += mine.size();
    }
    EXPECT_EQ(all.size(), count);
    EXPECT_LE(count, used);
    EXPECT_LE(used, count + taken.size() * leases / Dispenser::slot_count);
}

// Real loops: a room asked on two threads at once, its keeper on the first.
struct Crowd {
    static Task<> ask(Keeper& keeper, SharedRoom& room, int people, std::vector<std::uint64_t>& got,
                      std::atomic<int>& left, std::span<RunLoop* const> loops) {
        Context context;
        context.deadline = Loop::here().now() + minutes(2);
        while (int(got.size()) < people) {
            if (const auto receipt = room.dispenser.take(Loop::here().now())) {
                got.push_back(receipt->position);
                continue;
            }
            keeper.want_lease(room);
            if (!co_await room.bell.wait(context)) break;
        }
        if (left.fetch_sub(1) == 1)
            for (RunLoop* loop : loops) loop->stop();
    }
    static Task<> begin(Keeper& keeper, EventId event, Report report, int people,
                        std::vector<std::uint64_t>& got, std::atomic<int>& left,
                        std::span<RunLoop* const> loops) {
        SharedRoom* room = must(co_await keeper.steer(event, report));
        co_await ask(keeper, *room, people, got, left, loops);
    }
};

TEST(Keeper, serves_two_loops_at_once) {
    auto first = make_asio_loop();
    auto second = make_asio_loop();
    RunLoop* const loops[] = {first.get(), second.get()};
    SystemRandom random;
    MemoryStore store;
    RoomTable table({first.get(), second.get()});
    SoleKeeper keeper(*first, table, store, random, RateRule{});
    Nursery nursery, other;
    const EventId event{{7}};
    Report report;
    report.epoch = 1;
    report.state = RoomState::prequeue;
    report.sequence = 1;
    std::atomic<int> left{2};
    std::array<std::vector<std::uint64_t>, 2> got;
    {
        Loop::Enter in(first.get());
        nursery.spawn(keeper.run());
        nursery.spawn(Crowd::begin(keeper, event, report, 20'000, got[0], left, loops));
    }
    std::thread thread([&] {
        while (!table.find(event)) std::this_thread::yield();
        Loop::Enter in(second.get());
        other.spawn(Crowd::ask(keeper, *table.find(event), 20'000, got[1], left, loops));
        second->run();
        other.clear();
    });
    first->run();
    thread.join();
    std::set<std::uint64_t> all(got[0].begin(), got[0].end());
    all.insert(got[1].begin(), got[1].end());
    EXPECT_EQ(all.size(), 40'000u);
    {
        Loop::Enter in(first.get());
        nursery.clear();
    }
    // The loops before the rooms: a bell may be on its way to one that has stopped.
    second.reset();
    first.reset();
}

} // namespace
} // namespace urr::waiting_room
