// The simulator's engine of Loop: one thread, time turned by hand, and among the things that are
// ready the seed chooses which runs next. Time moves only when nothing is ready.
//
//     SimWorld world(seed);
//     SimLoop loop(world);
//     while (world.step()) { check promises }
#pragma once
#include <vector>

#include "libs/async/timer_heap.hpp"
#include "libs/core/random.hpp"

namespace urr {

class SimLoop;

class SimWorld {
public:
    explicit SimWorld(std::uint64_t seed) : random_(seed) {}
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    // Runs one ready node, or moves time to the next timer and runs that. False: nothing is left.
    bool step();
    // Steps until nothing is ready before `until`; leaves the time there.
    void run_until(Instant until);
    Instant now() const { return now_; }
    std::uint64_t steps() const { return steps_; }
    SeededRandom& random() { return random_; }

private:
    friend class SimLoop;
    void push(Node& node, Loop& loop);
    void drop(Node& node);
    void wake_due();

    SeededRandom random_;
    Instant now_{1'000'000};
    std::vector<Node*> ready_;
    TimerHeap timers_;
    std::uint64_t steps_ = 0;
};

// Several loops may share a world: each is one simulated process or core.
class SimLoop final : public Loop {
public:
    explicit SimLoop(SimWorld& world) : world_(world) {}
    Instant now() const override { return world_.now_; }
    void soon(Node& node) override { world_.push(node, *this); }
    void post(Node& node) override { world_.push(node, *this); }
    void arm(Timer& timer, Instant at) override;
    void disarm(Timer& timer) override;
    void forget(Node& node) override { world_.drop(node); }

private:
    SimWorld& world_;
};

} // namespace urr
