// SIGTERM and SIGINT, waited for on a thread of its own and told on a loop.
//
//     Signals::block();                            // before any other thread starts
//     Signals signals(loop, [](void* of) { … }, this);
#pragma once
#include <csignal>
#include <thread>

#include "libs/async/loop.hpp"

namespace urr::app {

class Signals {
public:
    // `told` runs on the loop, once. Loop and `of` outlive this.
    Signals(Loop& loop, void (*told)(void* of), void* of);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // For this thread and those it starts; a lost peer is no signal either.
    static void block();

private:
    struct Request : Node {
        void (*told)(void*) = nullptr;
        void* of = nullptr;
        using Node::Node;
    };
    Request request_;
    std::thread thread_;
};

} // namespace urr::app
