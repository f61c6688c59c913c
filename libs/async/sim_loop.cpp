#include "libs/async/sim_loop.hpp"

#include <algorithm>

namespace urr {

void SimWorld::push(Node& node, Loop& loop) {
    node.owner = &loop;
    node.slot = std::uint32_t(ready_.size());
    ready_.push_back(&node);
}

void SimWorld::drop(Node& node) {
    Node* last = ready_.back();
    ready_[node.slot] = last;
    last->slot = node.slot;
    ready_.pop_back();
    node.owner = nullptr;
}

void SimWorld::wake_due() {
    while (Timer* timer = timers_.take_due(now_)) {
        Loop* loop = timer->armed;
        timer->armed = nullptr;
        push(*timer, *loop);
    }
}

bool SimWorld::step() {
    if (ready_.empty()) {
        if (timers_.empty()) return false;
        now_ = std::max(now_, timers_.first());
        wake_due();
    }
    Node& node = *ready_[random_.below(ready_.size())];
    Loop* loop = node.owner;
    drop(node);
    ++steps_;
    Loop::Enter in(loop);
    node.fire(node);
    return true;
}

void SimWorld::run_until(Instant until) {
    while (!ready_.empty() || timers_.first() <= until) step();
    now_ = std::max(now_, until);
}

void SimLoop::arm(Timer& timer, Instant at) {
    timer.cancel();
    timer.armed = this;
    world_.timers_.add(timer, at);
}

void SimLoop::disarm(Timer& timer) {
    world_.timers_.remove(timer);
    timer.armed = nullptr;
}

} // namespace urr
