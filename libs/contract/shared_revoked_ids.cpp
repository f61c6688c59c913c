#include "libs/contract/shared_revoked_ids.hpp"

#include <charconv>

#include "libs/async/wait.hpp"

namespace urr {

namespace {

constexpr Duration step = milliseconds(20), patience = seconds(1), reading_time = seconds(30);
constexpr Duration prune_interval = minutes(1);
constexpr int page = 2'000;       // ids that Redis looks at in one command
constexpr int pages_max = 10'000; // of one group

// KEYS: the group's revoked ones. ARGV: id, expiry in µs, now in µs. Forgets what has expired.
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

SharedRevokedIds::SharedRevokedIds(Redis& redis, const Clock& clock, RevokedIds& ids)
    : redis_(redis), clock_(clock), ids_(ids), channel_(ids.names().channel),
      groups_key_(channel_ + ":groups"), pruned_(clock.now()),
      subscription_(
          redis.subscribe(channel_, [this](std::string_view message) { heard(message); })) {
    ids_.listen([this](const RevokedIds::Key& key, Instant until) {
        if (untold_.size() < untold_max) untold_.push_back({key, until});
    });
}

std::string SharedRevokedIds::key_of(const IdBytes& group) const {
    if (group == IdBytes{}) return channel_ + ":ids";
    return "{" + id_text(group) + "}:" + std::string(ids_.names().key);
}

// "group id expiry", from any process.
void SharedRevokedIds::heard(std::string_view message) {
    constexpr std::size_t id_length = 36;
    if (message.size() < 2 * id_length + 3) return;
    const auto group = parse_id(message.substr(0, id_length));
    const auto id = parse_id(message.substr(id_length + 1, id_length));
    const auto until = instant_of(message.substr(2 * id_length + 2));
    if (group && id && until) ids_.learn({*group, *id}, *until);
}

Task<Result<void>> SharedRevokedIds::tell(Context context, Untold one) {
    const Instant now = clock_.now();
    if (one.until <= now) co_return Result<void>{};
    const std::string group = id_text(one.key.group), id = id_text(one.key.id);
    const std::string until = std::to_string(one.until.us);
    TRY(co_await redis_.command(context, Command{"ZADD", groups_key_, "GT", until, group}));
    TRY(co_await redis_.run(context, revoke_script(), {key_of(one.key.group)},
                            {id, until, std::to_string(now.us)}));
    TRY(co_await redis_.command(context,
                                Command{"PUBLISH", channel_, group + " " + id + " " + until}));
    co_return Result<void>{};
}

Task<Result<void>> SharedRevokedIds::read_group(Context context, IdBytes group,
                                                RevokedIds::Known& untold) {
    const Instant now = clock_.now();
    std::string cursor = "0";
    for (int pages = 0; pages < pages_max; ++pages) { // what comes meanwhile is heard
        Command scan{"ZSCAN", key_of(group), cursor, "COUNT"};
        const Reply found = TRY(co_await redis_.command(context, scan.add(page)));
        if (found.items.size() != 2) co_return fail(Code::BAD_GATEWAY, "no page of a set");
        const std::vector<Reply>& pairs = found.items[1].items;
        for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
            const auto id = parse_id(pairs[i].text);
            const auto until = instant_of(pairs[i + 1].text);
            if (!id || !until || *until <= now) continue;
            ids_.learn({group, *id}, *until);
            untold.erase({group, *id});
        }
        cursor = found.items[0].text;
        if (cursor == "0") co_return Result<void>{};
    }
    co_return fail(Code::BAD_GATEWAY, "ids without an end");
}

Task<Result<void>> SharedRevokedIds::read(Context context) {
    const std::uint64_t connects = redis_.figures().connects.value();
    const std::string now = std::to_string(clock_.now().us);
    (void)co_await redis_.command(context, Command{"ZREMRANGEBYSCORE", groups_key_, "-inf", now});
    const Reply groups = TRY(co_await redis_.command(
        context, Command{"ZRANGE", groups_key_, "(" + now, "+inf", "BYSCORE"}));
    RevokedIds::Known untold = ids_.known();
    for (const Reply& item : groups.items)
        if (const auto group = parse_id(item.text))
            TRY(co_await read_group(context, *group, untold));
    for (const auto& [key, until] : untold) // a Redis that was emptied has it again
        TRY(co_await tell(context, {key, until}));
    read_at_connect_ = std::max<std::uint64_t>(connects, 1);
    co_return Result<void>{};
}

void SharedRevokedIds::prune() {
    const Instant now = clock_.now();
    if (now - pruned_ < prune_interval) return;
    ids_.prune(now);
    pruned_ = now;
}

Task<> SharedRevokedIds::run() {
    for (;;) {
        prune();
        Context context;
        context.deadline = Loop::here().now() + patience;
        if (redis_.is_up() && redis_.figures().connects.value() != read_at_connect_) {
            context.deadline = Loop::here().now() + reading_time;
            (void)co_await read(context);
        } else if (redis_.is_up() && !untold_.empty()) {
            const Untold first = untold_.front();
            if (co_await tell(context, first)) untold_.pop_front();
            if (!untold_.empty()) continue;
        }
        (void)co_await sleep(Context{}, step);
    }
}

} // namespace urr
