// What a coroutine can wait for at its loop: a while, the next turn, a gate.
//
//     TRY(co_await sleep(context, milliseconds(20)));   // DEADLINE_EXCEEDED if that comes first
//     co_await yield();
//     TRY(co_await gate.wait(context));
#pragma once
#include "libs/async/context.hpp"
#include "libs/async/loop.hpp"
#include "libs/core/result.hpp"

namespace urr {

// A timer that resumes a coroutine.
struct Resume : Timer {
    std::coroutine_handle<> waiting;
    Resume() : Timer([](Node& node) { static_cast<Resume&>(node).waiting.resume(); }) {}
};

struct [[nodiscard]] Sleep : Resume {
    Instant until;
    bool late;
    Sleep(const Context& context, Duration duration) {
        const Instant wake = Loop::here().now() + duration;
        late = context.deadline < wake;
        until = late ? context.deadline : wake;
    }
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
        waiting = caller;
        Loop::here().arm(*this, until);
    }
    Result<> await_resume() {
        if (late) return fail(Code::DEADLINE_EXCEEDED);
        return {};
    }
};
inline Sleep sleep(const Context& context, Duration duration) { return Sleep(context, duration); }

struct [[nodiscard]] Yield : Resume {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
        waiting = caller;
        Loop::here().soon(*this);
    }
    void await_resume() {}
};
inline Yield yield() { return {}; }

// A door that opens once and lets all waiters through; `reset` shuts it again. All on one loop.
class Gate {
public:
    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    struct [[nodiscard]] Wait : Resume {
        Gate* gate;
        Instant deadline;
        Wait* previous_waiter = nullptr;
        Wait* next_waiter = nullptr;
        bool linked = false;

        Wait(Gate& of, Instant until) : gate(&of), deadline(until) {}
        ~Wait() { unlink(); }
        void unlink() {
            if (!linked) return;
            linked = false;
            (previous_waiter ? previous_waiter->next_waiter : gate->first_) = next_waiter;
            (next_waiter ? next_waiter->previous_waiter : gate->last_) = previous_waiter;
        }
        bool await_ready() const noexcept { return gate->open_; }
        void await_suspend(std::coroutine_handle<> caller) {
            waiting = caller;
            linked = true;
            previous_waiter = gate->last_;
            (gate->last_ ? gate->last_->next_waiter : gate->first_) = this;
            gate->last_ = this;
            if (deadline != never) Loop::here().arm(*this, deadline);
        }
        // DEADLINE_EXCEEDED if the deadline came before the opening.
        Result<> await_resume() {
            if (!linked) return {};
            unlink();
            return fail(Code::DEADLINE_EXCEEDED);
        }
    };

    bool is_open() const { return open_; }
    void reset() { open_ = false; }
    void open() {
        open_ = true;
        release();
    }
    // Lets those through who wait now, in their order, and stays shut for those to come.
    void release() {
        while (Wait* waiter = first_) {
            waiter->unlink();
            waiter->cancel();
            Loop::here().soon(*waiter);
        }
    }
    Wait wait(const Context& context) { return Wait(*this, context.deadline); }

private:
    Wait* first_ = nullptr;
    Wait* last_ = nullptr;
    bool open_ = false;
};

} // namespace urr
