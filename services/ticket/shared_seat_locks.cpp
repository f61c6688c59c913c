#include "services/ticket/shared_seat_locks.hpp"

#include <charconv>

#include "libs/async/wait.hpp"

namespace urr::ticket {

namespace {

constexpr std::string_view channel = "seat-locks";
constexpr Duration patience = seconds(1), look_interval = milliseconds(50);
constexpr std::size_t words_per_seat = 5; // seat, fence, state, holder, what is left in ms
constexpr std::int64_t without_end = -1;

std::string key_of(const EventId& event) { return "seat-lock:{" + event.text() + "}"; }
std::string holders_key_of(const EventId& event) { return key_of(event) + ":holders"; }

// KEYS: the event's locks, its holders. ARGV: channel, event, then the words of each seat. Who pays
// is who held, if nothing came between. Both keys go a day after the last change.
const Script& tell_script() {
    static const Script script(R"lua(
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local told = {}
for i = 3, #ARGV, 5 do
    local seat, fence, state, holder, left = unpack(ARGV, i, i + 4)
    local known = redis.call('HGET', KEYS[1], seat)
    local known_fence, known_holder = 0, '-'
    if known then
        known_fence, known_holder = string.match(known, '^(%d+) %d (%S+)')
        known_fence = tonumber(known_fence)
    end
    if tonumber(fence) > known_fence then
        local follows = tonumber(fence) == known_fence + 1
        if (state == '2' or state == '3') and holder == '-' and follows then
            holder = known_holder
        end
        local ends = tonumber(left) < 0 and -1 or now + tonumber(left)
        redis.call('HSET', KEYS[1], seat,
            fence .. ' ' .. state .. ' ' .. holder .. ' ' .. string.format('%.0f', ends))
        if holder ~= '-' then redis.call('SADD', KEYS[2], holder) end
        told[#told + 1] = table.concat({seat, fence, state, holder, left}, ' ')
    end
end
redis.call('PEXPIRE', KEYS[1], 86400000)
redis.call('PEXPIRE', KEYS[2], 86400000)
if #told > 0 then redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(told, ' ')) end
return #told
)lua");
    return script;
}

const Script& read_script() {
    static const Script script(R"lua(
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
return {now, redis.call('HGETALL', KEYS[1]), redis.call('SMEMBERS', KEYS[2])}
)lua");
    return script;
}

// What comes next up to a space; empty at the end.
std::string_view next_word(std::string_view& text) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// `ends`: in the same time as `now_ms`, or without end.
std::optional<SeatNews> news_of(std::string_view seat, std::string_view fence,
                                std::string_view state, std::string_view holder,
                                std::string_view ends, std::int64_t now_ms) {
    const auto number = number_of(seat), version = number_of(fence), code = number_of(state),
               end = number_of(ends);
    const auto account = AccountId::parse(holder);
    const bool is_state = code && *code >= 0 && *code <= std::int64_t(SeatState::blocked);
    if (!number || *number < 0 || !version || !is_state || !end) return std::nullopt;
    if (!account && holder != "-") return std::nullopt;
    SeatNews news{*number, *version, SeatState(*code), account.value_or(AccountId{}), never};
    if (*end >= 0) news.until = Loop::here().now() + milliseconds(*end - now_ms);
    return news;
}

void add_words(std::vector<std::string>& to, const SeatNews& news) {
    const Duration left = news.until - Loop::here().now();
    to.push_back(std::to_string(news.seat));
    to.push_back(std::to_string(news.fence));
    to.push_back(std::to_string(int(news.state)));
    to.push_back(news.is_locked() ? news.holder.text() : "-");
    to.push_back(std::to_string(news.until == never ? without_end
                                                    : std::max<std::int64_t>(0, left.us / 1'000)));
}

} // namespace

SharedSeatLocks::SharedSeatLocks(Redis& redis)
    : redis_(redis),
      subscription_(redis.subscribe(std::string(channel),
                                    [this](std::string_view message) { heard(message); })) {}

// While Redis is away nothing is kept: all that is known is told at the next connection.
void SharedSeatLocks::tell(const EventId& event, const SeatNews& news) {
    if (!redis_.is_up() || untold_.size() >= untold_max) return;
    untold_.push_back({event, news});
    news_.open();
}

// "event seat fence state holder left seat fence …", also what this process told.
void SharedSeatLocks::heard(std::string_view message) {
    const auto event = EventId::parse(next_word(message));
    if (!event) return;
    std::vector<SeatChange> changes;
    while (!message.empty()) {
        std::string_view words[words_per_seat];
        for (std::string_view& word : words) word = next_word(message);
        const auto news = news_of(words[0], words[1], words[2], words[3], words[4], 0);
        if (!news) return;
        if (take(*event, *news)) changes.push_back({*event, news->seat, news->state, news->fence});
    }
    pass_on(changes);
}

// As many of the first one's event as go into one script.
Task<Result<void>> SharedSeatLocks::send() {
    const EventId event = untold_.front().event;
    std::vector<std::string> words{std::string(channel), event.text()};
    std::size_t count = 0;
    while (count < told_at_once && count < untold_.size() && untold_[count].event == event)
        add_words(words, untold_[count++].news);
    untold_.erase(untold_.begin(), untold_.begin() + std::ptrdiff_t(count));
    Context context;
    context.deadline = Loop::here().now() + patience;
    TRY(co_await redis_.run(context, tell_script(), {key_of(event), holders_key_of(event)},
                            std::move(words)));
    co_return Result<void>{};
}

Task<Result<void>> SharedSeatLocks::read(Context context, EventId event) {
    const Reply reply = TRY(
        co_await redis_.run(context, read_script(), {key_of(event), holders_key_of(event)}, {}));
    if (reply.items.size() != 3) co_return fail(Code::BAD_GATEWAY, "locks of another form");
    const std::int64_t now_ms = reply.items[0].integer;
    const auto& fields = reply.items[1].items;
    std::unordered_map<std::int64_t, std::int64_t> fences;
    std::vector<SeatChange> changes;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        std::string_view value = fields[i + 1].text;
        const std::string_view fence = next_word(value), state = next_word(value),
                               holder = next_word(value);
        const auto news = news_of(fields[i].text, fence, state, holder, value, now_ms);
        if (!news) continue;
        fences[news->seat] = news->fence;
        if (take(event, *news)) changes.push_back({event, news->seat, news->state, news->fence});
    }
    std::vector<AccountId> holders;
    for (const Reply& item : reply.items[2].items)
        if (const auto account = AccountId::parse(item.text)) holders.push_back(*account);
    add_holders(event, holders);
    pass_on(changes);
    const auto at = events().find(event);
    if (at == events().end()) co_return Result<void>{};
    for (const auto& [seat, news] : at->second.seats) { // what it has lost, or never had
        const auto there = fences.find(seat);
        const bool is_missing = there == fences.end();
        if (is_missing ? news.is_locked() : news.fence > there->second) tell(event, news);
    }
    co_return Result<void>{};
}

Task<Result<void>> SharedSeatLocks::read_all() {
    const std::uint64_t connects = redis_.figures().connects.value();
    untold_.clear(); // they are among what is known
    std::vector<EventId> all;
    for (const auto& [event, locks] : events()) all.push_back(event);
    for (const EventId& event : all) {
        Context context;
        context.deadline = Loop::here().now() + patience;
        TRY(co_await read(context, event));
    }
    read_at_connect_ = connects;
    co_return Result<void>{};
}

Task<> SharedSeatLocks::run() {
    for (;;) {
        if (redis_.is_up() && redis_.figures().connects.value() != read_at_connect_) {
            if (!co_await read_all()) (void)co_await sleep(Context{}, look_interval);
            continue;
        }
        if (!untold_.empty()) { // what is lost on the way is told at the next connection
            (void)co_await send();
            continue;
        }
        news_.reset();
        Context until;
        until.deadline = Loop::here().now() + look_interval;
        (void)co_await news_.wait(until);
    }
}

} // namespace urr::ticket
