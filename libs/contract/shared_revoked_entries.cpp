#include "libs/contract/shared_revoked_entries.hpp"

#include <charconv>

#include "libs/async/wait.hpp"

namespace urr {

namespace {

constexpr std::string_view channel = "revoked-entries";
constexpr std::string_view events_key = "revoked-entries:events"; // by the last expiry
constexpr Duration step = milliseconds(20), patience = seconds(1), reading_time = seconds(30);

std::string key_of(const EventId& event) { return "{" + event.text() + "}:revoked"; }

// KEYS: the event's revoked ones. ARGV: token, expiry in µs, now in µs. Forgets what has expired.
const Script& revoke_script() {
    static const Script script(R"lua(
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then
    local left = math.ceil((tonumber(last[2]) - tonumber(ARGV[3])) / 1000)
    redis.call('PEXPIRE', KEYS[1], math.max(1, left))
end
return 1
)lua");
    return script;
}

std::optional<Instant> instant_of(std::string_view text) {
    double us = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (!(us >= 0 && us < 9e15)) return std::nullopt;
    return Instant{std::int64_t(us)};
}

} // namespace

SharedRevokedEntries::SharedRevokedEntries(Redis& redis, const Clock& clock)
    : redis_(redis), clock_(clock),
      subscription_(redis.subscribe(std::string(channel),
                                    [this](std::string_view message) { heard(message); })) {}

void SharedRevokedEntries::revoke(const EventId& event, const IdBytes& token, Instant expires) {
    RevokedEntries::revoke(event, token, expires);
    if (untold_.size() < untold_max) untold_.push_back({event, token, expires});
}

// "event token expiry", from any process.
void SharedRevokedEntries::heard(std::string_view message) {
    constexpr std::size_t id_length = 36;
    if (message.size() < 2 * id_length + 3) return;
    const auto event = EventId::parse(message.substr(0, id_length));
    const auto token = parse_id(message.substr(id_length + 1, id_length));
    const auto expires = instant_of(message.substr(2 * id_length + 2));
    if (event && token && expires) RevokedEntries::revoke(*event, *token, *expires);
}

Task<Result<void>> SharedRevokedEntries::tell(Context context, Revoked revoked) {
    const Instant now = clock_.now();
    if (revoked.expires <= now) co_return Result<void>{};
    const std::string event = revoked.event.text(), token = id_text(revoked.token);
    const std::string expires = std::to_string(revoked.expires.us);
    TRY(co_await redis_.command(context, Command{"ZADD", events_key, "GT", expires, event}));
    TRY(co_await redis_.run(context, revoke_script(), {key_of(revoked.event)},
                            {token, expires, std::to_string(now.us)}));
    TRY(co_await redis_.command(context,
                                Command{"PUBLISH", channel, event + " " + token + " " + expires}));
    co_return Result<void>{};
}

Task<Result<void>> SharedRevokedEntries::read_event(Context context, EventId event,
                                                    Tokens& untold) {
    const std::string from = "(" + std::to_string(clock_.now().us);
    const Reply found = TRY(co_await redis_.command(
        context, Command{"ZRANGE", key_of(event), from, "+inf", "BYSCORE", "WITHSCORES"}));
    for (const Reply& pair : found.items) {
        const auto token =
            pair.items.size() == 2 ? parse_id(pair.items[0].text) : std::optional<IdBytes>();
        if (!token) continue;
        RevokedEntries::revoke(event, *token, Instant{std::int64_t(pair.items[1].number)});
        untold.erase({event, *token});
    }
    co_return Result<void>{};
}

Task<Result<void>> SharedRevokedEntries::read(Context context) {
    const std::uint64_t connects = redis_.figures().connects.value();
    const std::string now = std::to_string(clock_.now().us);
    (void)co_await redis_.command(context, Command{"ZREMRANGEBYSCORE", events_key, "-inf", now});
    const Reply events = TRY(co_await redis_.command(
        context, Command{"ZRANGE", events_key, "(" + now, "+inf", "BYSCORE"}));
    Tokens untold = tokens();
    for (const Reply& item : events.items)
        if (const auto event = EventId::parse(item.text))
            TRY(co_await read_event(context, *event, untold));
    for (const auto& [key, expires] : untold) // a Redis that was emptied has it again
        TRY(co_await tell(context, {key.first, key.second, expires}));
    read_at_connect_ = std::max<std::uint64_t>(connects, 1);
    co_return Result<void>{};
}

Task<> SharedRevokedEntries::run() {
    for (;;) {
        Context context;
        context.deadline = Loop::here().now() + patience;
        if (redis_.is_up() && redis_.figures().connects.value() != read_at_connect_) {
            context.deadline = Loop::here().now() + reading_time;
            (void)co_await read(context);
        } else if (redis_.is_up() && !untold_.empty()) {
            const Revoked first = untold_.front();
            if (co_await tell(context, first)) untold_.pop_front();
            if (!untold_.empty()) continue;
        }
        (void)co_await sleep(Context{}, step);
    }
}

} // namespace urr
