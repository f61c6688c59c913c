// Task<T>: a lazy coroutine that runs when it is awaited and resumes whoever awaits it.
//
//     Task<Result<Seat>> find(Context context, SeatNumber number) {
//         Rows rows = TRY(co_await store_.read(context, ...));
//         co_return seat_of(rows);
//     }
//
// A task runs on the loop of its caller. Destroying a task that waits destroys its frame; every
// awaitable here unlinks itself then. Control passes by symmetric transfer, so a million awaits
// that complete at once need no stack. Frames come from a pool per thread; under sanitizers they
// come from the heap, so that a use after the end is seen.
//
// House rules: parameters by value, or references to what outlives the task; no capturing lambda
// as a coroutine (its captures die with the lambda).
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace urr {

namespace detail {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline void* allocate_frame(std::size_t bytes) { return ::operator new(bytes); }
inline void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
#else
// Free frames by size class of 64 bytes; what a thread frees it keeps, up to a bound. A frame that
// holds a request takes some kilobytes: from the heap that is slow.
struct FramePool {
    static constexpr std::size_t classes = 129;                                     // up to 8 KiB
    static constexpr std::size_t kept_max = 1024, kept_bytes_max = 2 * 1024 * 1024; // of a class
    void* head[classes];
    unsigned count[classes];

    bool full(std::size_t size_class) const {
        const std::size_t kept = count[size_class];
        return kept >= kept_max || kept * size_class * 64 >= kept_bytes_max;
    }
};
inline constinit thread_local FramePool frame_pool{};

inline void* allocate_frame(std::size_t bytes) {
    const std::size_t size_class = (bytes + 63) / 64;
    if (size_class >= FramePool::classes) return ::operator new(bytes);
    void* frame = frame_pool.head[size_class];
    if (!frame) return ::operator new(size_class * 64);
    frame_pool.head[size_class] = *static_cast<void**>(frame);
    --frame_pool.count[size_class];
    return frame;
}

inline void free_frame(void* frame, std::size_t bytes) noexcept {
    const std::size_t size_class = (bytes + 63) / 64;
    if (size_class >= FramePool::classes || frame_pool.full(size_class)) {
        ::operator delete(frame);
        return;
    }
    *static_cast<void**>(frame) = frame_pool.head[size_class];
    frame_pool.head[size_class] = frame;
    ++frame_pool.count[size_class];
}
#endif

struct PromiseBase {
    std::coroutine_handle<> awaiting = std::noop_coroutine();

    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
        free_frame(frame, bytes);
    }

    struct Final {
        bool await_ready() noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
            return done.promise().awaiting;
        }
        void await_resume() noexcept {}
    };
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
};

template <class T>
struct Promise;

} // namespace detail

template <class T = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;
    using value_type = T;

    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            reset();
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    ~Task() { reset(); }

    void reset() {
        if (auto frame = std::exchange(frame_, {})) frame.destroy();
    }
    bool done() const { return !frame_ || frame_.done(); }
    // For whoever drives a task by hand, as the database's writer does: run to the first wait.
    void start() { frame_.resume(); }
    // The value of a task that is done; throws what the task threw.
    T take() { return frame_.promise().take(); }

    auto operator co_await() && noexcept {
        struct Awaiter {
            std::coroutine_handle<promise_type> frame;
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
                frame.promise().awaiting = caller;
                return frame;
            }
            T await_resume() { return frame.promise().take(); }
        };
        return Awaiter{frame_};
    }

private:
    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
struct Promise : PromiseBase {
    enum class State : unsigned char { empty, value, thrown };
    union {
        T value;
        std::exception_ptr thrown;
    };
    State state = State::empty;

    Promise() {}
    ~Promise() {
        if (state == State::value) value.~T();
        if (state == State::thrown) thrown.~exception_ptr();
    }
    Task<T> get_return_object() {
        return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
    }
    template <class U = T>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& result) {
        ::new (&value) T(std::forward<U>(result));
        state = State::value;
    }
    void unhandled_exception() noexcept {
        ::new (&thrown) std::exception_ptr(std::current_exception());
        state = State::thrown;
    }
    T take() {
        if (state == State::thrown) [[unlikely]]
            std::rethrow_exception(thrown);
        return std::move(value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    std::exception_ptr thrown;
    Task<void> get_return_object() {
        return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
    }
    void return_void() {}
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
    void take() {
        if (thrown) [[unlikely]]
            std::rethrow_exception(thrown);
    }
};

} // namespace detail

} // namespace urr
