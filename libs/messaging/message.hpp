// Events between services: an envelope that is readable by version N and N-1, published from a
// service's outbox and consumed at least once, in order per key.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "libs/async/task.hpp"
#include "libs/async/wait.hpp"
#include "libs/core/result.hpp"

namespace urr {

class MetricsText;

struct Message {
    MessageId id;
    std::string topic;
    std::string type;
    int version = 1;
    Instant occurred;
    IdBytes key{};
    std::int64_t seq = 0; // per key, from 1
    std::string traceparent;
    std::string data; // JSON
};

// Takes effect once: the consumer notes the message's id in the transaction of its effect.
class Consumer {
public:
    virtual ~Consumer() = default;
    // An error means: again later; after `attempts_max` refusals the key is parked. UNAVAILABLE,
    // OVERLOADED, DEADLINE_EXCEEDED and OUTCOME_UNKNOWN are no refusals.
    virtual Task<Result<void>> consume(Context context, Message message) = 0;
};

// What a service listens to; its group keeps its position under this name.
struct Subscription {
    std::string topic, group;
    Consumer* consumer = nullptr;
};

inline constexpr int attempts_max = 5;

// The event log: Kafka where there is one, a table where there is none.
class EventLog {
public:
    virtual ~EventLog() = default;
    // Durable when it returns; a batch may be appended twice after a failure.
    virtual Task<Result<void>> append(Context context, std::vector<Message> messages) = 0;
    // Delivers until the task is destroyed, from where the group left off. One task per group.
    virtual Task<> deliver(std::string topic, std::string group, Consumer& consumer) = 0;
    // `group` reads the topic in place of all others whose names begin with `family`: those do not
    // come again, and nothing is kept for them any more. Nothing to do where messages are kept by
    // their age alone.
    virtual Task<Result<void>> replace_groups(Context, std::string /*topic*/, std::string /*group*/,
                                              std::string /*family*/) {
        co_return Result<void>{};
    }
    // Gives the parked messages of a group to its consumer again; how many there were.
    virtual Task<Result<std::int64_t>> replay(Context context, std::string group,
                                              Consumer& consumer) = 0;
    // How many messages stand parked, of all groups: more than none is an alarm.
    virtual Task<Result<std::int64_t>> parked(Context context) = 0;
    // Deletes some of what is older than `kept` and that no group needs any more; how many.
    virtual Task<Result<std::int64_t>> prune(Context context, Duration kept) = 0;
    // The servers that it stands on, as /health names them, and whether they answer; none: it is a
    // table of a store. Any thread.
    virtual std::string_view servers() const { return {}; }
    virtual bool is_up() const { return true; }
    // What the engine counts. Any thread.
    virtual void append_metrics(MetricsText&) const {}
};

} // namespace urr
