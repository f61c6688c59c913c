#include "services/auth/shared_throttles.hpp"

#include <algorithm>

namespace urr::auth {

namespace {

// KEYS: what a try counts for; each value is when it has drained, in µs of the server's clock.
// ARGV: burst and refill in µs of each. Answers how long to wait; 0: it was counted.
const Script& try_script() {
    static const Script script(R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait, drained = 0, {}
for i, key in ipairs(KEYS) do
    local burst, refill = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    drained[i] = math.max(tonumber(redis.call('GET', key) or '0'), now)
    wait = math.max(wait, drained[i] - now - refill * (burst - 1))
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
    local at = drained[i] + tonumber(ARGV[2 * i])
    redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
end
return 0
)lua");
    return script;
}

// The same arguments. Takes one try off each, as long as there is one.
const Script& give_back_script() {
    static const Script script(R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
    local at = tonumber(redis.call('GET', key) or '0') - tonumber(ARGV[2 * i])
    if at > now then
        redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
    else
        redis.call('DEL', key)
    end
end
return 0
)lua");
    return script;
}

// One hash tag for all: a script reaches keys of one slot only, and tries are few.
std::string key_of(const Counted& counted) {
    constexpr std::string_view names[counted_kinds] = {"account", "address", "mailbox"};
    return "{auth-tries}:" + std::string(names[std::size_t(counted.kind)]) + ":" + hex(counted.key);
}

} // namespace

Task<Result<Reply>> SharedThrottles::ask(Context context, const Script& script,
                                         const std::vector<Counted>& counted) {
    std::vector<std::string> keys, arguments;
    for (const Counted& one : counted) {
        keys.push_back(key_of(one));
        arguments.push_back(std::to_string(rule_of(one.kind).burst));
        arguments.push_back(std::to_string(rule_of(one.kind).refill.us));
    }
    context.deadline = std::min(context.deadline, Loop::here().now() + patience_);
    Reply reply = TRY(co_await redis_.run(context, script, std::move(keys), std::move(arguments)));
    if (reply.kind != Reply::Kind::integer)
        co_return fail(Code::BAD_GATEWAY, "a count of another form");
    co_return reply;
}

// What this process has counted itself holds in any case: all of it is in Redis too.
Task<Result<Try>> SharedThrottles::attempt(Context context, std::vector<Counted> counted) {
    Try attempt = TRY(attempt_here(std::move(counted)));
    const auto answer = co_await ask(context, try_script(), attempt.counted);
    if (!answer) {
        alone_.add();
        if (!std::exchange(told_, true))
            log_.write(Level::warning, "tries_are_counted_alone",
                       {{"why", name(answer.error().code())}});
        co_return attempt;
    }
    if (std::exchange(told_, false)) log_.write(Level::info, "tries_are_shared_again");
    attempt.is_shared = true;
    if (answer->integer == 0) co_return attempt;
    Throttles::give_back(attempt); // it will not be made
    co_return try_later(Duration{answer->integer});
}

void SharedThrottles::give_back(const Try& attempt) {
    Throttles::give_back(attempt);
    if (attempt.is_shared && tasks_.size() < giving_back_max) tasks_.spawn(tell(attempt.counted));
}

// Lost on the way: it drains by time.
Task<> SharedThrottles::tell(std::vector<Counted> counted) {
    (void)co_await ask(Context{}, give_back_script(), counted);
}

} // namespace urr::auth
