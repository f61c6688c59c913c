// For commands: runs one task on a loop of this thread and gives its result. A loop runs once.
//
//     auto loop = make_asio_loop();              // outlives the stores: it takes their last
//     answers Result<std::int64_t> count = run_to_end(*loop, system.replay(group, topic));
#pragma once
#include "libs/async/nursery.hpp"

namespace urr::app {

template <class T>
Result<T> run_to_end(RunLoop& loop, Task<Result<T>> task) {
    Result<T> result = fail(Code::INTERNAL, "the task did not end");
    static constexpr auto run = [](RunLoop& on, Task<Result<T>> given, Result<T>& out) -> Task<> {
        out = co_await std::move(given);
        on.stop();
    };
    Loop::Enter in(&loop);
    Nursery nursery;
    nursery.spawn(run(loop, std::move(task), result));
    loop.run();
    return result;
}

} // namespace urr::app
