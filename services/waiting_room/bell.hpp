// Bell: rung on one loop, heard on all. A coroutine on any loop waits until the next ring; whoever
// looks for a thing first and waits then, without a wait between, misses no ring that came after
// the thing was there.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "libs/async/wait.hpp"

namespace urr::waiting_room {

class Bell {
public:
    explicit Bell(std::span<Loop* const> loops) {
        for (Loop* loop : loops) ears_.push_back(std::make_unique<Ear>(*loop));
    }
    // Any loop's thread.
    void ring() {
        for (auto& ear : ears_)
            if (!ear->ringing.exchange(true, std::memory_order_acq_rel)) ear->loop.post(*ear);
    }
    // DEADLINE_EXCEEDED if that comes before the ring. On one of the loops.
    Gate::Wait wait(const Context& context) { return ear_here().gate.wait(context); }

private:
    struct Ear : Node {
        Loop& loop;
        Gate gate;
        std::atomic<bool> ringing{false};

        explicit Ear(Loop& of) : loop(of) {
            fire = [](Node& node) {
                Ear& ear = static_cast<Ear&>(node);
                ear.ringing.exchange(false, std::memory_order_acq_rel);
                ear.gate.release();
            };
        }
    };
    Ear& ear_here() {
        for (auto& ear : ears_)
            if (&ear->loop == &Loop::here()) return *ear;
        return *ears_.front();
    }
    std::vector<std::unique_ptr<Ear>> ears_;
};

} // namespace urr::waiting_room
