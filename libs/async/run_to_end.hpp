// For commands and tests: runs one task on a loop of this thread to its end. An Asio loop runs
// once.
//
//     auto loop = make_asio_loop();              // outlives the stores: it takes their last
//     answers Result<std::int64_t> count = run_to_end(*loop, system.replay(group, topic));
//
// One thread. What else lives at the loop goes on no further than the task.
#pragma once
#include "libs/async/nursery.hpp"

namespace urr {

inline void run_to_end(RunLoop& loop, Task<> task) {
    static constexpr auto run = [](RunLoop& on, Task<> given) -> Task<> {
        co_await std::move(given);
        on.stop();
    };
    Loop::Enter in(&loop);
    Nursery nursery;
    nursery.spawn(run(loop, std::move(task)));
    loop.run();
}

template <class T>
Result<T> run_to_end(RunLoop& loop, Task<Result<T>> task) {
    Result<T> result = fail(Code::INTERNAL, "the task did not end");
    static constexpr auto into = [](Task<Result<T>> given, Result<T>& out) -> Task<> {
        out = co_await std::move(given);
    };
    run_to_end(loop, into(std::move(task), result));
    return result;
}

} // namespace urr
