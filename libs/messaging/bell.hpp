// Bells: wakes tasks that wait for work, whichever loop they run on.
//
//     Bells bells;
//     Bell bell(bells);                       // in the waiting task, at its loop
//     for (;;) {
//         bell.mute();                        // before looking: a ring in between is not missed
//         if (!co_await look_for_work()) (void)co_await bell.wait(until);
//     }
//     bells.ring();                           // any thread
#pragma once
#include <atomic>
#include <mutex>
#include <vector>

#include "libs/async/wait.hpp"

namespace urr {

class Bell;

class Bells {
public:
    void ring();

private:
    friend class Bell;
    std::mutex mutex_;
    std::vector<Bell*> bells_;
};

// Lives at the loop that made it, which outlives it.
class Bell {
public:
    explicit Bell(Bells& of);
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    void mute() { gate_.reset(); }
    // At its own loop.
    void ring() { gate_.open(); }
    Gate::Wait wait(const Context& context) { return gate_.wait(context); }

private:
    friend class Bells;
    // On its way between threads; outlives the bell if the bell goes first.
    struct Ring : Node {
        Bell* bell;
        Loop& home;
        std::atomic<bool> posted{false};
        std::atomic<int> references{1};

        explicit Ring(Bell& of);
        void post();
        void release();
    };

    Bells& bells_;
    Gate gate_;
    Ring* ring_;
};

} // namespace urr
