#include "services/ticket/shared_seat_locks.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "libs/async/nursery.hpp"

namespace urr::ticket {

namespace {

constexpr std::string_view channel = "seat-locks";
constexpr Duration patience = seconds(1), look_interval = milliseconds(50);
constexpr Duration pause_first = milliseconds(50), pause_max = seconds(5); // between failures
constexpr int page = 512;                 // fields or members that Redis looks at in one command
constexpr int pages_max = 100'000;        // of one reading
constexpr std::size_t words_per_seat = 5; // seat, fence, state, holder, what is left in ms
constexpr std::int64_t without_end = -1;

std::string key_of(const EventId& event) { return "seat-lock:{" + event.text() + "}"; }
std::string holders_key_of(const EventId& event) { return key_of(event) + ":holders"; }

// KEYS: the event's locks, its holders. ARGV: channel, event, how many holders are enough, then the
// words of each seat. Who pays is who held, if nothing came between. Both keys go a day after the
// last change.
const Script& tell_script() {
    static const Script script(R"lua(
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local told = {}
for i = 4, #ARGV, 5 do
    local seat, fence, state, holder, left = unpack(ARGV, i, i + 4)
    local known = redis.call('HGET', KEYS[1], seat)
    local known_fence, known_holder = 0, '-'
    if known then
        known_fence, known_holder = string.match(known, '^(%d+) %d (%S+)')
        known_fence, known_holder = tonumber(known_fence) or 0, known_holder or '-'
    end
    if tonumber(fence) > known_fence then
        local follows = tonumber(fence) == known_fence + 1
        if (state == '2' or state == '3') and holder == '-' and follows then
            holder = known_holder
        end
        local ends = tonumber(left) < 0 and -1 or now + tonumber(left)
        redis.call('HSET', KEYS[1], seat,
            fence .. ' ' .. state .. ' ' .. holder .. ' ' .. string.format('%.0f', ends))
        if holder ~= '-' and redis.call('SCARD', KEYS[2]) <= tonumber(ARGV[3]) then
            redis.call('SADD', KEYS[2], holder)
        end
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

// KEYS: the event's locks. ARGV: seats and the fences that are void.
const Script& take_back_script() {
    static const Script script(R"lua(
for i = 1, #ARGV, 2 do
    local known = redis.call('HGET', KEYS[1], ARGV[i])
    if known and string.match(known, '^(%d+) ') == ARGV[i + 1] then
        redis.call('HDEL', KEYS[1], ARGV[i])
    end
end
return 0
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

// Of the answer to TIME.
std::optional<std::int64_t> milliseconds_of(const Reply& time) {
    if (time.items.size() != 2) return std::nullopt;
    const auto s = number_of(time.items[0].text), us = number_of(time.items[1].text);
    if (!s || !us) return std::nullopt;
    return *s * 1'000 + *us / 1'000;
}

// `ends`: in ms of the same time as `now_ms`, which was `now` of the loop's, or without end.
std::optional<SeatNews> news_of(std::string_view seat, std::string_view fence,
                                std::string_view state, std::string_view holder,
                                std::string_view ends, Instant now, std::int64_t now_ms) {
    const auto number = number_of(seat), version = number_of(fence), code = number_of(state),
               end = number_of(ends);
    const auto account = AccountId::parse(holder);
    const bool is_state = code && *code >= 0 && *code <= std::int64_t(SeatState::blocked);
    if (!number || *number < 0 || !version || !is_state || !end) return std::nullopt;
    if (!account && holder != "-") return std::nullopt;
    SeatNews news{*number, *version, SeatState(*code), account.value_or(AccountId{})};
    if (*end >= 0) news.until = now + milliseconds(*end - now_ms);
    return news;
}

Context patient() {
    Context context;
    context.deadline = Loop::here().now() + patience;
    return context;
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
        const auto news =
            news_of(words[0], words[1], words[2], words[3], words[4], Loop::here().now(), 0);
        if (!news) break; // nor is it known where the next one begins
        if (take(*event, *news)) changes.push_back({*event, news->seat, news->state, news->fence});
    }
    pass_on(changes);
}

// While Redis is away its entry stays, until it is read and taken back at the next look.
void SharedSeatLocks::take_back(const EventId& event, const SeatNews& news) {
    if (!redis_.is_up() || void_.size() >= untold_max) return;
    void_.push_back({event, news});
    news_.open();
}

// As many of the first one's event as go into one script.
std::vector<SeatNews> SharedSeatLocks::next_of(std::deque<Untold>& all) {
    const EventId event = all.front().event;
    std::vector<SeatNews> batch;
    while (batch.size() < told_at_once && !all.empty() && all.front().event == event) {
        batch.push_back(all.front().news);
        all.pop_front();
    }
    return batch;
}

Task<Result<void>> SharedSeatLocks::send() {
    const EventId event = untold_.front().event;
    std::vector<std::string> words{std::string(channel), event.text(), std::to_string(holders_max)};
    for (const SeatNews& news : next_of(untold_)) add_words(words, news);
    TRY(co_await redis_.run(patient(), tell_script(), {key_of(event), holders_key_of(event)},
                            std::move(words)));
    co_return Result<void>{};
}

Task<Result<void>> SharedSeatLocks::send_void() {
    const EventId event = void_.front().event;
    std::vector<std::string> words;
    for (const SeatNews& news : next_of(void_)) {
        words.push_back(std::to_string(news.seat));
        words.push_back(std::to_string(news.fence));
    }
    TRY(co_await redis_.run(patient(), take_back_script(), {key_of(event)}, std::move(words)));
    co_return Result<void>{};
}

// One page of a hash or a set; `cursor` goes on to the next one, "0" behind the last.
Task<Result<std::vector<Reply>>> SharedSeatLocks::scan(std::string_view how, std::string key,
                                                       std::string& cursor) {
    Command command{how, key, cursor, "COUNT"};
    Reply reply = TRY(co_await redis_.command(patient(), command.add(page)));
    if (reply.items.size() != 2) co_return fail(Code::BAD_GATEWAY, "locks of another form");
    cursor = std::move(reply.items[0].text);
    co_return std::move(reply.items[1].items);
}

Task<Result<void>> SharedSeatLocks::read_locks(EventId event) {
    const Instant asked = Loop::here().now();
    const Reply time = TRY(co_await redis_.command(patient(), Command{"TIME"}));
    const auto now_ms = milliseconds_of(time);
    if (!now_ms) co_return fail(Code::BAD_GATEWAY, "a time of another form");
    std::unordered_map<std::int64_t, std::int64_t> fences;
    std::string cursor = "0";
    for (int pages = 0; pages == 0 || cursor != "0"; ++pages) {
        if (pages == pages_max) co_return fail(Code::BAD_GATEWAY, "locks without an end");
        const auto fields = TRY(co_await scan("HSCAN", key_of(event), cursor));
        if (!events().contains(event)) co_return Result<void>{}; // its sale has ended
        std::vector<SeatChange> changes;
        for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
            std::string_view value = fields[i + 1].text;
            const std::string_view fence = next_word(value), state = next_word(value),
                                   holder = next_word(value);
            const auto news = news_of(fields[i].text, fence, state, holder, value, asked, *now_ms);
            if (!news) continue;
            fences[news->seat] = news->fence;
            if (take(event, *news))
                changes.push_back({event, news->seat, news->state, news->fence});
        }
        pass_on(changes);
    }
    tell_what_is_missing(event, fences);
    co_return Result<void>{};
}

// What Redis has lost, or never had.
void SharedSeatLocks::tell_what_is_missing(
    const EventId& event, const std::unordered_map<std::int64_t, std::int64_t>& fences) {
    const auto at = events().find(event);
    if (at == events().end()) return;
    const Instant now = Loop::here().now();
    for (const auto& [seat, news] : at->second.seats) {
        const auto there = fences.find(seat);
        const bool is_missing = there == fences.end();
        const bool holds = news.is_locked() && news.until > now;
        if (is_missing ? holds : news.fence > there->second) tell(event, news);
    }
}

Task<Result<void>> SharedSeatLocks::read_holders(EventId event) {
    std::string cursor = "0";
    for (int pages = 0; pages == 0 || cursor != "0"; ++pages) {
        const auto at = events().find(event);
        if (at == events().end() || at->second.holders.size() > holders_max) break;
        if (pages == pages_max) co_return fail(Code::BAD_GATEWAY, "holders without an end");
        const auto members = TRY(co_await scan("SSCAN", holders_key_of(event), cursor));
        if (!events().contains(event)) break;
        std::vector<AccountId> holders;
        for (const Reply& member : members)
            if (const auto account = AccountId::parse(member.text)) holders.push_back(*account);
        add_some_holders(event, holders);
    }
    co_return Result<void>{};
}

// The holders first: whoever is one is not to be refused.
Task<Result<void>> SharedSeatLocks::read(EventId event) {
    if (!events().contains(event)) co_return Result<void>{};
    TRY(co_await read_holders(event));
    co_return co_await read_locks(event);
}

// Behind what could not be read before, so that each has its turn, the newest first.
void SharedSeatLocks::read_all_again() {
    read_at_connect_ = redis_.figures().connects.value();
    untold_.clear(); // they are among what is known
    for (const auto& [event, locks] : std::views::reverse(events()))
        if (std::ranges::find(unread_, event) == unread_.end()) unread_.push_back(event);
}

Task<> SharedSeatLocks::run_reading() {
    Duration pause = pause_first;
    std::size_t failed = 0; // one after the other
    for (;;) {
        if (redis_.is_up() && redis_.figures().connects.value() != read_at_connect_) {
            read_all_again();
            pause = pause_first;
        }
        if (unread_.empty() || !redis_.is_up()) {
            (void)co_await sleep(Context{}, look_interval);
            continue;
        }
        const EventId event = unread_.front();
        unread_.pop_front();
        if (co_await read(event)) {
            pause = pause_first;
            failed = 0;
            continue;
        }
        unread_.push_back(event);
        (void)co_await sleep(Context{}, pause);
        if (++failed < unread_.size()) continue;
        failed = 0; // all that are left
        pause = std::min(pause * 2, pause_max);
    }
}

Task<> SharedSeatLocks::run_telling() {
    for (;;) { // what is lost on the way is told at the next connection
        if (!untold_.empty()) (void)co_await send();
        if (!void_.empty()) (void)co_await send_void();
        if (!untold_.empty() || !void_.empty()) continue;
        news_.reset();
        (void)co_await news_.wait(Context{});
    }
}

Task<> SharedSeatLocks::run() {
    Nursery jobs;
    jobs.spawn(run_reading());
    jobs.spawn(run_telling());
    (void)co_await jobs.drained(Context{});
}

} // namespace urr::ticket
