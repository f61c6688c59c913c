// The client for Redis 7 or later: one connection, kept up by itself, on which all commands that
// are queued in one turn of the loop go out in one write.
//
//     auto redis = TRY_PLAIN(connect_redis(loop, random, options, log));
//     Reply reply = TRY(co_await redis->command(context, Command{"GET", key}));
//     Reply reply = TRY(co_await redis->run(context, script, {key}, {argument}));
//     auto listening = redis->subscribe("{…}:news", [](std::string_view message) { … });
//
// Errors: UNAVAILABLE (no connection: at once, while the last attempt has failed; or the server is
// loading, or no primary), OVERLOADED (too much is queued), DEADLINE_EXCEEDED (it did not go out in
// time), OUTCOME_UNKNOWN (it went out and no answer came), BAD_GATEWAY (the server refused it, or
// does not speak RESP). What is queued while a lost connection is replaced goes out on the next.
//
// With sentinels the primary is asked of them before each connection; whoever says it is none, or
// has become none, is left. `primary()` names the life of the server: another name means that what
// was written last may be gone. One loop; use it there alone.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/async/loop.hpp"
#include "libs/async/task.hpp"
#include "libs/core/random.hpp"
#include "libs/redis/command.hpp"
#include "libs/redis/reply.hpp"
#include "libs/telemetry/log.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

struct RedisAddress {
    std::string host;
    std::uint16_t port = 6379;
};

struct RedisOptions {
    std::vector<RedisAddress> servers; // tried in turn; with `primary_name` these are sentinels
    std::string primary_name;          // what the sentinels call it
    std::string user, password;        // an empty user: the default one
    std::string sentinel_password;
    bool tls = false;
    std::string ca_file; // PEM; empty: the system's
    std::size_t waiting_max = 8'192;
    std::size_t waiting_bytes_max = 16 * 1024 * 1024;
    Duration connect_timeout = seconds(2);
    Duration command_timeout = seconds(2); // no answer for that long cuts the connection
    Duration retry_min = milliseconds(50), retry_max = seconds(2);
    Duration quiet_max = seconds(5); // then a PING tells whether anybody is there
};

// Reads "redis://[user:password@]host[:port]" and "rediss://…" (TLS), several with commas between.
// VALIDATION_FAILED; the text names no secret.
Result<RedisOptions> parse_redis_urls(std::string_view urls);

class RedisSubscription {
public:
    virtual ~RedisSubscription() = default;
};

struct RedisFigures {
    Counter commands, writes, connects, lost, failed_connects, overloaded, timed_out, loaded;
    void write(MetricsText& out, const std::string& prefix) const;
};

class Redis {
public:
    using OnMessage = std::function<void(std::string_view)>;
    virtual ~Redis() = default;

    Task<Result<Reply>> command(Context context, Command command);
    // By its hash; where the server does not know it, it is loaded and run once again.
    Task<Result<Reply>> run(Context context, const Script& script, std::vector<std::string> keys,
                            std::vector<std::string> arguments);

    // Also before the loop runs. Messages until the subscription is destroyed, those of lost
    // connections excepted.
    virtual std::unique_ptr<RedisSubscription> subscribe(std::string channel, OnMessage told) = 0;
    // The life of the server that is connected; empty: none is.
    virtual const std::string& primary() const = 0;
    bool is_up() const { return !primary().empty(); }
    const RedisFigures& figures() const { return figures_; }

protected:
    // The answer as it came, errors too.
    virtual Task<Result<Reply>> exchange(Context context, const Command& command) = 0;
    RedisFigures figures_;
};

// UNAVAILABLE with a text for the operator when the certificates cannot be read. It connects with
// the first command or subscription.
Result<std::unique_ptr<Redis>> connect_redis(RunLoop& loop, Random& random, RedisOptions options,
                                             Log& log);

} // namespace urr
