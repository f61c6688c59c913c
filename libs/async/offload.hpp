// Offload: a bounded pool of threads for work that would block a loop (Argon2, files). The caller
// waits at its loop; in the simulator the work runs as one more step.
//
//     Hash hash = TRY(co_await offload.run(context, hash_password, password));
//
// When the queue is full the answer is OVERLOADED at once. A deadline counts until a thread takes
// the work; taken work runs to its end, and the caller waits for it.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include "libs/async/wait.hpp"

namespace urr {

class Offload {
public:
    // One piece of work: shared by the caller's frame and the pool.
    struct Job : Node {
        enum State : std::uint8_t { queued, taken, abandoned };
        Job* link = nullptr;
        Loop* home = nullptr;
        std::atomic<std::uint8_t> state{queued};
        virtual void run() noexcept = 0;

    protected:
        ~Job() = default;
    };

    virtual ~Offload() = default;
    // False: full. Any loop's thread.
    virtual bool submit(Job& job) = 0;
    // True: taken out before a thread had it. The caller's thread.
    virtual bool withdraw(Job& job) = 0;

    template <class Function, class... Arguments>
    struct [[nodiscard]] Run : Job {
        using Out = std::invoke_result_t<Function, Arguments&...>;
        struct Late : Timer {
            Run* run = nullptr;
            Late() : Timer([](Node& node) { static_cast<Late&>(node).run->expire(); }) {}
        };

        Offload& pool;
        Instant deadline;
        Function function;
        std::tuple<Arguments...> arguments;
        std::optional<Out> out;
        std::coroutine_handle<> caller;
        Late late;
        Code refusal = Code::OVERLOADED;

        Run(Offload& of, Instant until, Function f, Arguments... given)
            : pool(of), deadline(until), function(f), arguments(std::move(given)...) {
            late.run = this;
            this->fire = [](Node& node) { static_cast<Run&>(node).finish(); };
        }
        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> waiting) {
            caller = waiting;
            this->home = &Loop::here();
            if (!pool.submit(*this)) return false;
            if (deadline != never) this->home->arm(late, deadline);
            return true;
        }
        Result<Out> await_resume() {
            if (!out) return fail(refusal);
            return std::move(*out);
        }
        void run() noexcept override {
            std::apply([this](Arguments&... given) { out.emplace(function(given...)); }, arguments);
        }
        void expire() {
            if (!pool.withdraw(*this)) return; // it runs already: wait for it
            refusal = Code::DEADLINE_EXCEEDED;
            caller.resume();
        }
        void finish() {
            late.cancel();
            caller.resume();
        }
    };

    // The caller must not be destroyed while it waits: its frame holds the work.
    template <class Function, class... Arguments>
    Run<Function, Arguments...> run(const Context& context, Function function,
                                    Arguments... arguments) {
        return Run<Function, Arguments...>(*this, context.deadline, function,
                                           std::move(arguments)...);
    }
};

// A pool of `threads` threads with at most `queued_max` works waiting.
std::unique_ptr<Offload> make_thread_offload(unsigned threads, std::size_t queued_max);
// Runs each work at the caller's loop in a later turn: for tests and the simulator.
std::unique_ptr<Offload> make_loop_offload();

} // namespace urr
