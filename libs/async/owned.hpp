// Owned<T>: state with an owner. `with` runs a function on the state at the owner's loop and
// resumes the caller on its own; no lock is taken and no two functions overlap.
//
//     Owned<Line> line(loop_of(event), ...);
//     Place place = co_await line.with(join_line, account, token);   // join_line(Line&, AccountId,
//     Token)
//
// The function must not suspend; its arguments are copied into the call. On the owner's own loop it
// runs at once. A hop costs two posts; what waits is bounded by the requests in flight, since the
// caller's frame is the message.
#pragma once
#include <optional>
#include <tuple>
#include <type_traits>

#include "libs/async/loop.hpp"

namespace urr {

template <class T>
class Owned {
public:
    template <class... Arguments>
    explicit Owned(Loop& home, Arguments&&... arguments)
        : home_(home), state_(std::forward<Arguments>(arguments)...) {}
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    Loop& home() const { return home_; }

    // For code that already runs at the owner's loop.
    T& here() { return state_; }

    template <class Function, class... Arguments>
    struct [[nodiscard]] Visit : Node {
        using Out = std::invoke_result_t<Function, T&, Arguments&...>;
        static_assert(std::is_empty_v<Function> || std::is_pointer_v<Function>,
                      "pass what the function needs as arguments");
        struct Nothing {};
        using Kept = std::conditional_t<std::is_void_v<Out>, Nothing, Out>;

        Owned& owned;
        Loop* caller_loop;
        std::tuple<Arguments...> arguments;
        Function function;
        std::optional<Kept> out;
        std::coroutine_handle<> caller;

        Visit(Owned& of, Function f, Arguments... given)
            : owned(of), caller_loop(Loop::current()), arguments(std::move(given)...), function(f) {
        }

        bool await_ready() {
            if (caller_loop != &owned.home_) return false;
            run();
            return true;
        }
        void await_suspend(std::coroutine_handle<> waiting) {
            caller = waiting;
            fire = [](Node& node) {
                auto& visit = static_cast<Visit&>(node);
                visit.run();
                visit.fire = [](Node& home) { static_cast<Visit&>(home).caller.resume(); };
                visit.caller_loop->post(visit);
            };
            owned.home_.post(*this);
        }
        Out await_resume() {
            if constexpr (!std::is_void_v<Out>) return std::move(*out);
        }
        void run() {
            std::apply(
                [this](Arguments&... given) {
                    if constexpr (std::is_void_v<Out>)
                        function(owned.state_, given...);
                    else
                        out.emplace(function(owned.state_, given...));
                },
                arguments);
        }
    };

    // The caller must not be destroyed while it waits for another loop: its frame is the message.
    template <class Function, class... Arguments>
    Visit<Function, Arguments...> with(Function function, Arguments... arguments) {
        return Visit<Function, Arguments...>(*this, function, std::move(arguments)...);
    }

private:
    Loop& home_;
    T state_;
};

} // namespace urr
