// The timers of a loop: a binary heap that knows where each timer stands, so that disarming costs
// log n and allocates nothing. Ties fire in the order in which they were armed.
#pragma once
#include <vector>

#include "libs/async/loop.hpp"

namespace urr {

class TimerHeap {
public:
    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    Instant first() const { return heap_.empty() ? never : heap_[0]->at; }

    void add(Timer& timer, Instant at) {
        timer.at = at;
        timer.order = ++order_;
        heap_.push_back(&timer);
        rise(heap_.size() - 1);
    }
    void remove(Timer& timer) {
        const std::size_t slot = timer.heap_slot;
        timer.heap_slot = UINT32_MAX;
        Timer* last = heap_.back();
        heap_.pop_back();
        if (last == &timer) return;
        put(slot, last);
        rise(slot);
        sink(last->heap_slot);
    }
    // The earliest timer that is due, taken out; nullptr when none is.
    Timer* take_due(Instant now) {
        if (heap_.empty() || heap_[0]->at > now) return nullptr;
        Timer* timer = heap_[0];
        remove(*timer);
        return timer;
    }

private:
    static bool before(const Timer* a, const Timer* b) {
        return a->at != b->at ? a->at < b->at : a->order < b->order;
    }
    void put(std::size_t slot, Timer* timer) {
        heap_[slot] = timer;
        timer->heap_slot = std::uint32_t(slot);
    }
    void rise(std::size_t slot) {
        Timer* timer = heap_[slot];
        while (slot && before(timer, heap_[(slot - 1) / 2])) {
            put(slot, heap_[(slot - 1) / 2]);
            slot = (slot - 1) / 2;
        }
        put(slot, timer);
    }
    void sink(std::size_t slot) {
        Timer* timer = heap_[slot];
        for (;;) {
            std::size_t child = 2 * slot + 1;
            if (child >= heap_.size()) break;
            if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
            if (!before(heap_[child], timer)) break;
            put(slot, heap_[child]);
            slot = child;
        }
        put(slot, timer);
    }

    std::vector<Timer*> heap_;
    std::uint64_t order_ = 0;
};

} // namespace urr
