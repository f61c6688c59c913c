// The work queue: messages for one reader each, in order within a group, given again until they are
// done, put aside after three times. SQS where there is one (FIFO), a table where there is none.
//
//     TRY(co_await queue.send(context, {{event.text(), batch_id, body}}));
//     for (const Taken& work : TRY(co_await queue.receive(context, 10, seconds(10)))) {
//         if (co_await handle(work)) TRY(co_await queue.done(context, work.receipt));
//     }                                  // else it comes again when its time is over
//
// While a message of a group is out, nothing else of that group is given. Sent twice with one
// `id` within five minutes counts once. At least once: a reader keeps what it did by the message's
// own id. Errors: UNAVAILABLE, OVERLOADED, OUTCOME_UNKNOWN (send again: the id counts once).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "libs/async/task.hpp"
#include "libs/async/wait.hpp"
#include "libs/core/result.hpp"

namespace urr {

struct Work {
    std::string group;
    std::string id; // letters, digits and punctuation, at most 128
    std::string body;
};

struct Taken {
    std::string group;
    std::string body;
    std::string receipt; // of this taking
    int times = 1;       // it was given
};

struct QueueRules {
    Duration visible_again = minutes(5); // after it was taken and not done
    int times_max = 3;                   // then it is put aside
};

inline constexpr std::size_t work_bytes_max = 256 * 1024; // SQS's bound of a message
inline constexpr int works_at_once_max = 10;

class WorkQueue {
public:
    virtual ~WorkQueue() = default;
    // In order; all are there when it returns. BODY_TOO_LARGE for one beyond work_bytes_max.
    virtual Task<Result<void>> send(Context context, std::vector<Work> works) = 0;
    // At most `most` (ten at most); waits up to `wait` for the first.
    virtual Task<Result<std::vector<Taken>>> receive(Context context, int most, Duration wait) = 0;
    // NOT_FOUND: it was given to somebody else meanwhile, or is done.
    virtual Task<Result<void>> done(Context context, std::string receipt) = 0;
    // Gives it again after that while.
    virtual Task<Result<void>> again(Context context, std::string receipt, Duration after) = 0;
    // How many stand aside: more than none is an alarm.
    virtual Task<Result<std::int64_t>> aside(Context context) = 0;
    // Puts what stands aside back behind what waits, in order within a group; how many. An operator
    // does so when the cause is mended.
    virtual Task<Result<std::int64_t>> redrive(Context context) = 0;
};

} // namespace urr
