// Offload: a bounded pool of threads for work that would block a loop (Argon2, files). The caller
// waits at its loop; in the simulator the work runs as one more step.
//
//     Hash hash = TRY(co_await offload.run(context, hash_password, password));
//
// When the queue is full the answer is OVERLOADED at once. A deadline counts until a thread takes
// the work; taken work runs to its end, and the caller waits for it. A caller that is destroyed
// while it waits takes its work along, or leaves it to the thread that has begun it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include "libs/async/wait.hpp"

namespace urr {

class Offload {
public:
    // One piece of work: the pool's from submit() until it is posted home or withdrawn.
    struct Job : Node {
        Job* link = nullptr;
        Loop* home = nullptr; // nullptr: no pool has it
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
    struct Run;

    template <class Function, class... Arguments>
    Run<Function, Arguments...> run(const Context& context, Function function,
                                    Arguments... arguments) {
        return Run<Function, Arguments...>(*this, context.deadline, function,
                                           std::move(arguments)...);
    }

private:
    // Belongs to the caller's awaitable until a thread takes it; then to its answer at the loop, so
    // that a caller may be destroyed while it waits.
    template <class Function, class... Arguments>
    struct Work final : Job {
        using Out = std::invoke_result_t<Function, Arguments&...>;
        Function function;
        std::tuple<Arguments...> arguments;
        std::optional<Out> out;
        Run<Function, Arguments...>* waiting = nullptr; // home's thread alone

        Work(Function f, Arguments... given) : function(f), arguments(std::move(given)...) {
            this->fire = [](Node& node) {
                std::unique_ptr<Work> work(static_cast<Work*>(&node));
                if (work->waiting) work->waiting->finish(std::move(work->out));
            };
        }
        void run() noexcept override {
            std::apply([this](Arguments&... given) { out.emplace(function(given...)); }, arguments);
        }
    };
};

template <class Function, class... Arguments>
struct [[nodiscard]] Offload::Run {
    using Out = std::invoke_result_t<Function, Arguments&...>;
    struct Late : Timer {
        Run* run = nullptr;
        Late() : Timer([](Node& node) { static_cast<Late&>(node).run->expire(); }) {}
    };

    Offload& pool;
    Instant deadline;
    Work<Function, Arguments...>* work;
    std::optional<Out> out;
    std::coroutine_handle<> caller;
    Late late;
    Code refusal = Code::OVERLOADED;

    Run(Offload& of, Instant until, Function f, Arguments... given)
        : pool(of), deadline(until),
          work(new Work<Function, Arguments...>(f, std::move(given)...)) {
        late.run = this;
        work->waiting = this;
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
        if (!work) return;
        work->waiting = nullptr;
        if (!work->home || pool.withdraw(*work)) delete work;
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) {
        caller = waiting;
        work->home = &Loop::here();
        if (!pool.submit(*work)) {
            work->home = nullptr;
            return false;
        }
        if (deadline != never) work->home->arm(late, deadline);
        return true;
    }
    Result<Out> await_resume() {
        if (!out) return fail(refusal);
        return std::move(*out);
    }
    void expire() {
        if (!pool.withdraw(*work)) return; // it runs already: wait for it
        delete std::exchange(work, nullptr);
        refusal = Code::DEADLINE_EXCEEDED;
        caller.resume();
    }
    void finish(std::optional<Out> answer) {
        work = nullptr;
        out = std::move(answer);
        late.cancel();
        caller.resume();
    }
};

// A pool of `threads` threads with at most `queued_max` works waiting.
std::unique_ptr<Offload> make_thread_offload(unsigned threads, std::size_t queued_max);
// Runs each work at the caller's loop in a later turn: for tests and the simulator.
std::unique_ptr<Offload> make_loop_offload();

} // namespace urr
