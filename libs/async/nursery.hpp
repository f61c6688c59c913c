// Nursery: the owner of tasks that nobody awaits: a connection, a job, a request's background part.
// Destroying it (or `clear`) destroys every task in it; a task that ends leaves by itself. One
// loop.
//
//     nursery.spawn(serve_connection(std::move(socket)));
//
// A spawned task must not throw: an exception that reaches the nursery ends the program.
#pragma once
#include "libs/async/task.hpp"
#include "libs/async/wait.hpp"

namespace urr {

class Nursery {
public:
    Nursery() = default;
    Nursery(const Nursery&) = delete;
    Nursery& operator=(const Nursery&) = delete;
    ~Nursery() { clear(); }

    // Runs at once until its first wait.
    void spawn(Task<> task) { run(*this, std::move(task)); }
    bool empty() const { return head_.next == &head_; }
    std::size_t size() const { return size_; }
    void clear() {
        while (head_.next != &head_) head_.next->frame.destroy();
    }
    // Ends when the last task has; DEADLINE_EXCEEDED if some are still there.
    Task<Result<>> drained(Context context) {
        while (!empty()) {
            idle_.reset();
            TRY(co_await idle_.wait(context));
        }
        co_return Result<>{};
    }

private:
    struct Root {
        Root* previous;
        Root* next;
        std::coroutine_handle<> frame;
    };
    struct Detached {
        struct promise_type : Root {
            Nursery* nursery;
            promise_type(Nursery& owner, Task<>&)
                : Root{&owner.head_, owner.head_.next, {}}, nursery(&owner) {
                previous->next = this;
                next->previous = this;
                ++nursery->size_;
            }
            ~promise_type() {
                previous->next = next;
                next->previous = previous;
                if (--nursery->size_ == 0 && Loop::current()) nursery->idle_.open();
            }
            static void* operator new(std::size_t bytes) { return detail::allocate_frame(bytes); }
            static void operator delete(void* frame, std::size_t bytes) noexcept {
                detail::free_frame(frame, bytes);
            }
            Detached get_return_object() {
                frame = std::coroutine_handle<promise_type>::from_promise(*this);
                return {};
            }
            std::suspend_never initial_suspend() noexcept { return {}; }
            std::suspend_never final_suspend() noexcept { return {}; }
            void return_void() {}
            void unhandled_exception() { std::terminate(); }
        };
    };
    static Detached run(Nursery&, Task<> task) { co_await std::move(task); }

    Root head_{&head_, &head_, {}};
    std::size_t size_ = 0;
    Gate idle_;
};

} // namespace urr
