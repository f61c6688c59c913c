#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/async/offload.hpp"
#include "libs/async/owned.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"

namespace urr {
namespace {

Task<int> one() { co_return 1; }

Task<long> sum(int n) {
    long total = 0;
    for (int i = 0; i < n; ++i) total += co_await one();
    co_return total;
}

Task<int> nested(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

Task<> store(Task<long> task, long& out) { out = co_await std::move(task); }

TEST(Tasks, a_million_awaits_need_no_stack) {
    Nursery nursery;
    long total = 0;
    nursery.spawn(store(sum(1'000'000), total));
    EXPECT_EQ(total, 1'000'000);
}

TEST(Tasks, nest_deeply) {
    auto task = nested(10'000);
    task.start();
    EXPECT_EQ(task.take(), 10'000);
}

// Cases that other compilers got wrong: aggregates, conditionals and lists in an awaited call.
struct Options {
    std::string name;
    int n = 1;
};
Task<std::size_t> length(Options options) {
    co_return options.name.size() + std::size_t(options.n);
}
Task<std::size_t> length_of(std::vector<std::string> list) { co_return list.size(); }
Task<> canary(std::size_t& out, bool yes) {
    out += co_await length({.name = std::string(40, 'x'), .n = 2});
    out += yes ? co_await length({std::string(40, 'y')}) : co_await length({"z"});
    out += co_await length_of({"a", std::string(50, 'b')});
    out += co_await length(yes ? Options{std::string(40, 'x')} : Options{"b"});
}

TEST(Tasks, the_compiler_handles_temporaries_in_awaited_calls) {
    std::size_t out = 0;
    Nursery nursery;
    nursery.spawn(canary(out, true));
    EXPECT_EQ(out, 42u + 41u + 2u + 41u);
}

Task<> wait_for(Gate& gate, Duration patience, std::vector<Code>& ends) {
    Context context;
    context.deadline = Loop::here().now() + patience;
    const auto waited = co_await gate.wait(context);
    ends.push_back(waited ? Code::CONFLICT : waited.error().code());
}

TEST(Gates, let_those_through_who_still_wait) {
    SimWorld world(1);
    SimLoop loop(world);
    Gate gate;
    std::vector<Code> ends;
    Nursery nursery;
    Loop::Enter in(&loop);
    nursery.spawn(wait_for(gate, milliseconds(10), ends));
    nursery.spawn(wait_for(gate, seconds(10), ends));
    world.run_until(world.now() + milliseconds(20));
    gate.open();
    while (world.step()) {
    }
    EXPECT_EQ(ends, (std::vector<Code>{Code::DEADLINE_EXCEEDED, Code::CONFLICT}));
}

Task<> sleeper(Duration duration, int& woken) {
    if (co_await sleep(Context{}, duration)) ++woken;
}

TEST(Nurseries, what_is_destroyed_leaves_nothing_behind) {
    SimWorld world(2);
    SimLoop loop(world);
    int woken = 0;
    {
        Loop::Enter in(&loop);
        Nursery nursery;
        for (int i = 0; i < 10; ++i) nursery.spawn(sleeper(milliseconds(i), woken));
        world.run_until(world.now() + milliseconds(4));
    }
    while (world.step()) {
    }
    EXPECT_EQ(woken, 5);
}

std::string run_of(std::uint64_t seed) {
    SimWorld world(seed);
    SimLoop loop(world);
    std::string order;
    static constexpr auto note = [](std::string& out, char c) -> Task<> {
        for (int i = 0; i < 3; ++i) {
            co_await yield();
            out += c;
        }
    };
    Loop::Enter in(&loop);
    Nursery nursery;
    for (char c = 'a'; c < 'g'; ++c) nursery.spawn(note(order, c));
    while (world.step()) {
    }
    return order;
}

TEST(Simulator, the_same_seed_gives_the_same_run) {
    EXPECT_EQ(run_of(5), run_of(5));
    EXPECT_NE(run_of(5), run_of(6));
}

Task<> add_from(Owned<int>& counter, int times, RunLoop& mine, std::atomic<int>& finished) {
    for (int i = 0; i < times; ++i) {
        const int now = co_await counter.with([](int& n, int by) { return n += by; }, 1);
        EXPECT_GT(now, 0);
        EXPECT_EQ(Loop::current(), &mine);
    }
    ++finished;
}

TEST(Owners, many_loops_change_one_state_without_locks) {
    constexpr int loops = 3, times = 2000;
    std::vector<std::unique_ptr<RunLoop>> all;
    for (int i = 0; i < loops; ++i) all.push_back(make_asio_loop());
    Owned<int> counter(*all[0], 0);
    std::atomic<int> finished{0};
    std::vector<std::thread> threads;
    for (auto& loop : all)
        threads.emplace_back([&, mine = loop.get()] {
            Nursery nursery;
            Loop::Enter in(mine);
            nursery.spawn(add_from(counter, times, *mine, finished));
            mine->run();
        });
    while (finished < loops) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (auto& loop : all) loop->stop();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(counter.here(), loops * times);
}

// What a work waits for, so that the test says when it ends, however slow the machine is.
struct Latch {
    std::atomic<bool> begun{false}, may_end{false};
    void let_end() {
        may_end = true;
        may_end.notify_all();
    }
};
constexpr auto wait_to_be_let = [](Latch* latch) {
    latch->begun = true;
    latch->may_end.wait(false);
    return true;
};

Task<> offload_one(Offload& pool, Latch& latch, Duration patience, std::optional<Code>& end) {
    Context context;
    context.deadline = Loop::here().now() + patience;
    const auto out = co_await pool.run(context, wait_to_be_let, &latch);
    end = out ? Code::CONFLICT : out.error().code(); // CONFLICT stands for success
}

Task<> offload_some(Offload& pool, Latch& latch, RunLoop& loop) {
    std::optional<Code> taken, late, too_many;
    Nursery nursery;
    Instant due;
    while (!latch.begun) { // until the thread is quick enough to take it before its deadline
        taken.reset();
        due = Loop::here().now() + milliseconds(200);
        nursery.spawn(offload_one(pool, latch, milliseconds(200), taken));
        while (!latch.begun && !taken) must(co_await sleep(Context{}, milliseconds(1)));
    }
    nursery.spawn(offload_one(pool, latch, milliseconds(10), late));
    nursery.spawn(offload_one(pool, latch, milliseconds(10), too_many));
    EXPECT_EQ(too_many, Code::OVERLOADED) << "at once";
    while (!late || Loop::here().now() < due) must(co_await sleep(Context{}, milliseconds(1)));
    EXPECT_EQ(late, Code::DEADLINE_EXCEEDED);
    must(co_await sleep(Context{}, milliseconds(5)));
    EXPECT_FALSE(taken) << "what runs is waited for, though its deadline came";
    latch.let_end();
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(taken, Code::CONFLICT);
    loop.stop();
}

TEST(Offloads, are_bounded_and_keep_deadlines) {
    Latch latch;
    auto pool = make_thread_offload(1, 1);
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    Nursery nursery;
    nursery.spawn(offload_some(*pool, latch, *loop));
    loop->run();
}

TEST(Offloads, let_a_caller_go_while_its_work_waits_or_runs) {
    Latch latch;
    std::atomic<int> gone{0}, stayed{0};
    auto pool = make_thread_offload(1, 8);
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    static constexpr auto count = [](Latch* until, std::atomic<int>* runs) {
        until->may_end.wait(false);
        return ++*runs;
    };
    static constexpr auto ask = [](Offload& p, Latch* until, std::atomic<int>* runs) -> Task<> {
        (void)co_await p.run(Context{}, count, until, runs);
        ADD_FAILURE() << "its caller has gone";
    };
    {
        Nursery callers;
        for (int i = 0; i < 4; ++i) callers.spawn(ask(*pool, &latch, &gone));
    }
    latch.let_end();
    static constexpr auto last = [](Offload& p, Latch* until, std::atomic<int>* runs,
                                    RunLoop& l) -> Task<> {
        EXPECT_EQ(must(co_await p.run(Context{}, count, until, runs)), 1);
        l.stop();
    };
    Nursery nursery;
    nursery.spawn(last(*pool, &latch, &stayed, *loop));
    loop->run();
    EXPECT_LE(gone.load(), 1); // the one that a thread had taken already
}

// A timer that is armed again while its firing stands ready, on a loop that has more to do than one
// turn takes: whoever stands behind it in the list must be run all the same.
struct Again : Node {
    int left = 40;
    Again()
        : Node([](Node& node) {
              if (--static_cast<Again&>(node).left > 0) Loop::here().soon(node);
          }) {}
};
struct Busy : Timer {
    Busy() : Timer([](Node&) {}) {}
};
struct Meddler : Node {
    Busy& busy;
    int met = 0; // how often the timer stood ready
    explicit Meddler(Busy& timer) : busy(timer) {
        fire = [](Node& node) {
            Meddler& self = static_cast<Meddler&>(node);
            if (self.busy.owner) ++self.met;
            if (self.busy.owner || !self.busy.armed)
                Loop::here().arm(self.busy, Loop::here().now());
            if (self.met < 20) Loop::here().soon(self);
        };
    }
};

TEST(Timers, armed_again_while_ready_lose_nobody) {
    auto loop = make_asio_loop();
    std::vector<Again> crowd(2'000);
    Busy busy;
    Meddler meddler(busy);
    int slept = 0;
    Loop::Enter in(loop.get());
    Nursery nursery;
    for (Again& one : crowd) loop->soon(one);
    loop->soon(meddler);
    for (int i = 0; i < 200; ++i)
        nursery.spawn([](int& count) -> Task<> {
            for (int n = 0; n < 20; ++n) must(co_await sleep(Context{}, microseconds(50)));
            ++count;
        }(slept));
    nursery.spawn([](RunLoop& running, int& count, Meddler& other) -> Task<> {
        for (int n = 0; n < 6'000 && (count < 200 || other.met < 20); ++n) // a minute at least
            must(co_await sleep(Context{}, milliseconds(10)));
        running.stop();
    }(*loop, slept, meddler));
    loop->run();
    EXPECT_EQ(slept, 200);
    EXPECT_EQ(meddler.met, 20);
    for (const Again& one : crowd) ASSERT_EQ(one.left, 0);
}

// Of a loop that is blocked for twenty milliseconds. A busy machine may add some of its own.
std::uint64_t stalls_longer_than(Duration bound) {
    auto loop = make_asio_loop(bound);
    Loop::Enter in(loop.get());
    static constexpr auto block = [](RunLoop& l) -> Task<> {
        co_await yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        co_await yield();
        l.stop();
    };
    Nursery nursery;
    nursery.spawn(block(*loop));
    loop->run();
    return loop->stalls();
}

TEST(Stalls, are_counted_and_what_is_shorter_is_none) {
    EXPECT_GE(stalls_longer_than(milliseconds(5)), 1u);
    EXPECT_EQ(stalls_longer_than(hours(1)), 0u);
}

} // namespace
} // namespace urr
