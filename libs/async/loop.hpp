// Loop: a thread's queue of things to do and its timers. Two engines: make_asio_loop (one per core,
// real time, sockets beside it) and SimLoop (simulator: time turned by hand, order by seed).
//
// What runs at a loop is an intrusive Node: whoever waits owns the node, and a node that is
// destroyed unlinks itself, so nothing is allocated to wait and nothing dangles. `post` is the one
// call that any thread may make; all else belongs to the loop's own thread.
//
// Loop::here() is the loop that runs the current code. In a database's work there is none, so that
// a work which awaits anything but its transaction fails at once, in every engine.
#pragma once
#include <coroutine>
#include <cstdint>
#include <memory>

#include "libs/core/instant.hpp"

namespace urr {

class Loop;

// Something that is to run at a loop: linked at most once. Not movable: lists point at it.
struct Node {
    void (*fire)(Node&) = nullptr;
    Loop* owner = nullptr; // the loop whose ready list it stands in
    std::uint32_t slot = 0;
    Node* previous = nullptr;
    Node* next = nullptr;

    Node() = default;
    explicit Node(void (*function)(Node&)) : fire(function) {}
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    inline ~Node();
};

// A node that runs at a time; at most one time is pending.
struct Timer : Node {
    Instant at;
    std::uint64_t order = 0; // breaks ties: first armed, first fired
    std::uint32_t heap_slot = UINT32_MAX;
    Loop* armed = nullptr;

    using Node::Node;
    inline ~Timer();
    // Neither fires nor stands ready afterwards.
    inline void cancel();
};

class Loop {
public:
    virtual ~Loop() = default;

    // Monotonic; counts from an arbitrary start. The same value for everything in one turn is
    // good enough for deadlines.
    virtual Instant now() const = 0;
    // Runs `node` in one of the next turns. Own thread.
    virtual void soon(Node& node) = 0;
    // Runs `node` at this loop. Any thread; the node must outlive its firing.
    virtual void post(Node& node) = 0;
    // Runs `timer` at or after `at`; replaces an earlier time, also one that has come and whose
    // firing stands ready. Own thread.
    virtual void arm(Timer& timer, Instant at) = 0;
    virtual void disarm(Timer& timer) = 0;
    // Takes a ready node out. Own thread; called by ~Node.
    virtual void forget(Node& node) = 0;

    static Loop* current() { return current_; }
    static Loop& here() {
        if (!current_) [[unlikely]]
            nowhere();
        return *current_;
    }

    // Makes a loop the current one for a scope.
    struct Enter {
        Loop* before;
        explicit Enter(Loop* loop) : before(current_) { current_ = loop; }
        ~Enter() { current_ = before; }
        Enter(const Enter&) = delete;
        Enter& operator=(const Enter&) = delete;
    };

private:
    [[noreturn]] static void nowhere();
    static inline constinit thread_local Loop* current_ = nullptr;
};

Node::~Node() {
    if (owner) owner->forget(*this);
}
void Timer::cancel() {
    if (armed) armed->disarm(*this);
    if (owner) owner->forget(*this);
}
Timer::~Timer() { cancel(); }

// A loop that a thread runs until it is stopped.
class RunLoop : public Loop {
public:
    // Returns after stop().
    virtual void run() = 0;
    // Any thread.
    virtual void stop() = 0;
    // boost::asio::io_context*, for libs/http's sockets alone.
    virtual void* native() = 0;
    // Turns that kept the loop longer than the bound given to make_asio_loop; any thread.
    virtual std::uint64_t stalls() const = 0;
};

std::unique_ptr<RunLoop> make_asio_loop(Duration stall_bound = milliseconds(50));

} // namespace urr
