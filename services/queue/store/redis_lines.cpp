#include "services/queue/store/redis_lines.hpp"

#include "services/queue/store/redis_records.hpp"

namespace urr::queue {

namespace {

constexpr std::string_view generation_key = "{queue}:generation", outbox_key = "{queue}:outbox";

std::unexpected<Error> other_form() { return fail(Code::BAD_GATEWAY, "an answer of another form"); }

// What a step's first word says: empty when nothing hindered it.
Result<> hindrance(std::string_view word) {
    if (word.empty()) return {};
    if (word == "LOST") return fail(Error(Code::QUEUE_RECOVERING).retry_after(2));
    if (word == "TURN") return fail(Code::CONFLICT, "another process has the turn");
    const CodeInfo* const known = find_code(word);
    return fail(known ? known->code : Code::BAD_GATEWAY);
}

std::vector<std::string> place_words(const Place& place) {
    return {word(place.epoch), word(place.phase), word(place.position)};
}

void append(std::vector<std::string>& words, std::vector<std::string> more) {
    for (std::string& one : more) words.push_back(std::move(one));
}

std::string life_word(const Life& life) { return life ? *life : "-"; }

Result<std::optional<Member>> seen_of(const Reply& record, Instant at) {
    if (record.is_null()) return std::optional<Member>();
    return TRY_PLAIN(member_of(record.text, at));
}

Result<Joined> joined_of(std::string_view answer) {
    const auto w = words_of(answer);
    if (w.size() == 1) TRY_PLAIN(hindrance(answer));
    if (w.size() != 5) return other_form();
    return Joined{
        {number_of(w[0]), std::uint32_t(number_of(w[1])), number_of(w[2]), number_of(w[3])},
        id_of(w[4])};
}

std::vector<std::string> act_words(const Act& act) {
    return {act.id.text(), act.by.text(), act.text, act.generation.text()};
}

} // namespace

Task<Result<Reply>> RedisLines::step(Context context, EventId event, std::string name, Words words,
                                     bool of_a_turn) {
    Words all{std::move(name), now_text(), of_a_turn ? fence(event) : std::string()};
    append(all, std::move(words));
    all.push_back(life_word(life(event)));
    Reply reply =
        TRY(co_await redis_.run(context, line_script(), LineKeys(event).all(), std::move(all)));
    if (!reply.items.empty()) TRY(hindrance(reply.items[0].text));
    co_return reply;
}

RedisLines::Crowd::Crowd(RedisLines& lines, EventId event)
    : sees(BatchBounds{},
           [&lines, event](Context context, Life life, std::vector<AccountId> who) {
               return lines.see_all(context, event, std::move(life), std::move(who));
           }),
      joins(BatchBounds{}, [&lines, event](Context context, Life life, std::vector<Join> joins) {
          return lines.join_all(context, event, std::move(life), std::move(joins));
      }) {}

Task<Result<Reply>> RedisLines::crowd_step(Context context, EventId event, Words words) {
    Reply reply = TRY(co_await redis_.run(context, crowd_script(), LineKeys(event).of_crowds(),
                                          std::move(words)));
    if (reply.items.empty()) co_return other_form();
    TRY(hindrance(reply.items[0].text));
    co_return reply;
}

Task<Result<std::vector<Result<std::optional<Member>>>>>
RedisLines::see_all(Context context, EventId event, Life life, std::vector<AccountId> who) {
    Words words{"see", now_text(), life_word(life)};
    words.reserve(words.size() + who.size());
    for (const AccountId& account : who) words.push_back(account.text());
    const Reply reply = TRY(co_await crowd_step(context, event, std::move(words)));
    if (reply.items.size() != 3 || reply.items[2].items.size() != who.size())
        co_return other_form();
    const Instant at = instant_of(reply.items[1].text);
    std::vector<Result<std::optional<Member>>> out;
    out.reserve(who.size());
    for (const Reply& record : reply.items[2].items) out.push_back(seen_of(record, at));
    co_return out;
}

Task<Result<std::vector<Result<Joined>>>> RedisLines::join_all(Context context, EventId event,
                                                               Life life, std::vector<Join> joins) {
    Words words{"join", now_text(), life_word(life)};
    for (const Join& join : joins) {
        words.push_back(join.account.text());
        append(words, place_words(join.place));
        append(words, {word(join.place.arrival), id_word(join.receipt), join.shown ? "1" : "0"});
        append(words, place_words(join.end_of_line));
    }
    const Reply reply = TRY(co_await crowd_step(context, event, std::move(words)));
    if (reply.items.size() != joins.size() + 1) co_return other_form();
    std::vector<Result<Joined>> out;
    out.reserve(joins.size());
    for (std::size_t i = 1; i < reply.items.size(); ++i)
        out.push_back(joined_of(reply.items[i].text));
    co_return out;
}

void RedisLines::note_life(const EventId& event, std::span<const Reply> fields) {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2)
        if (fields[i].text == "life" && life_word(life(event)) != fields[i + 1].text)
            lives_[event] = std::make_shared<const std::string>(fields[i + 1].text);
}

LineStore::Step<Generation> RedisLines::open(Context context, GenerationId fresh,
                                             MessageId message) {
    const std::string run = redis_.primary();
    const Reply reply = TRY(co_await redis_.run(
        context, generation_script(), {std::string(generation_key), std::string(outbox_key)},
        {fresh.text(), message.text(), now_text(), run}));
    if (reply.items.size() != 3) co_return other_form();
    run_ = run;
    Generation out;
    out.id = {id_of(generation_ = reply.items[0].text)};
    out.log_read = reply.items[1].text == "1";
    out.now = options_.clock ? options_.clock->now() : instant_of(reply.items[2].text);
    co_return out;
}

LineStore::Step<bool> RedisLines::note_log_read(Context context) {
    TRY(co_await redis_.command(context, Command{"HSET", generation_key, "log_read", "1"}));
    co_return true;
}

LineStore::Step<std::vector<StoredMember>> RedisLines::line(Context context, EventId event) {
    lives_.erase(event); // whichever it is in now
    auto followed = co_await follow(context, event, 0, Instant{});
    if (!followed && followed.error().code() == Code::QUEUE_RECOVERING) {
        // No hall: a store that was lost. Whom the log has told of so far is found by follow().
        co_return std::vector<StoredMember>();
    }
    if (!followed) co_return fail(std::move(followed).error());
    std::erase_if(followed->members,
                  [](const StoredMember& one) { return one.member.state == MemberState::ended; });
    co_return std::move(followed->members);
}

Task<Result<std::optional<Member>>> RedisLines::member_after(Context context, EventId event,
                                                             std::string name, Words words) {
    const Reply reply = TRY(co_await step(context, event, std::move(name), std::move(words)));
    if (reply.items.empty()) co_return std::optional<Member>();
    if (reply.items.size() != 3) co_return other_form();
    co_return TRY(member_of(reply.items[1].text, instant_of(reply.items[2].text)));
}

LineStore::Step<std::optional<Member>> RedisLines::member(Context context, EventId event,
                                                          AccountId account) {
    co_return co_await member_after(context, event, "member", {account.text()});
}

LineStore::Step<std::optional<Member>> RedisLines::see(Context context, EventId event,
                                                       AccountId account) {
    co_return co_await crowd(event).sees.ask(context, life(event), account);
}

LineStore::Step<bool> RedisLines::saw(Context context, EventId event,
                                      std::vector<AccountId> accounts) {
    constexpr std::size_t at_once = 1000;
    for (std::size_t from = 0; from < accounts.size(); from += at_once) {
        Words words;
        for (std::size_t i = from; i < std::min(from + at_once, accounts.size()); ++i)
            words.push_back(accounts[i].text());
        TRY(co_await step(context, event, "saw", std::move(words)));
    }
    co_return true;
}

LineStore::Step<std::optional<HallRecord>> RedisLines::hall(Context context, EventId event) {
    const Reply reply = TRY(co_await step(context, event, "hall", {}));
    if (reply.items.size() != 2) co_return std::optional<HallRecord>();
    note_life(event, reply.items[1].items);
    co_return hall_of(reply.items[1].items);
}

LineStore::Step<HallRecord> RedisLines::begin_hall(Context context, EventId event,
                                                   HallRecord record) {
    Words words{id_word(record.awaits.bytes), generation_};
    append(words, hall_words(record));
    append(words, {"run", run(), "life", generation_});
    const Reply reply = TRY(co_await step(context, event, "begin", std::move(words)));
    if (reply.items.size() != 2) co_return other_form();
    note_life(event, reply.items[1].items);
    co_return hall_of(reply.items[1].items);
}

LineStore::Step<LineStore::Followed> RedisLines::follow(Context context, EventId event,
                                                        std::uint64_t version, Instant seen_since) {
    const Reply reply =
        TRY(co_await step(context, event, "follow", {word(version), word(seen_since)}));
    if (reply.items.size() != 5) co_return other_form();
    Followed out;
    const auto& fields = reply.items[1].items;
    out.hall = hall_of(fields);
    note_life(event, fields);
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].text == "version") out.version = number_of(fields[i + 1].text);
        if (fields[i].text == "time") out.time = number_of(fields[i + 1].text);
    }
    out.whole = reply.items[2].integer == 1;
    const auto& changed = reply.items[3].items;
    for (std::size_t i = 0; i + 1 < changed.size(); i += 2) {
        StoredMember one{{id_of(changed[i].text)}, {}};
        one.member.state = MemberState::ended;
        if (!changed[i + 1].text.empty()) one.member = TRY(member_of(changed[i + 1].text, {}));
        out.members.push_back(one);
    }
    std::map<AccountId, Instant> seen;
    const auto& signs = reply.items[4].items;
    for (std::size_t i = 0; i + 1 < signs.size(); i += 2)
        seen[{id_of(signs[i].text)}] = instant_of(signs[i + 1].text);
    for (StoredMember& one : out.members)
        if (const auto at = seen.find(one.account); at != seen.end()) one.member.seen = at->second;
    out.seen.assign(seen.begin(), seen.end());
    co_return out;
}

LineStore::Step<std::vector<RevokedEntry>> RedisLines::revoked(Context context, EventId event) {
    const std::string now = options_.clock ? now_text() : "0";
    const Reply reply =
        TRY(co_await redis_.command(context, Command{"ZRANGE", LineKeys(event).revoked(), "(" + now,
                                                     "+inf", "BYSCORE", "WITHSCORES"}));
    std::vector<RevokedEntry> out;
    for (const Reply& pair : reply.items)
        if (pair.items.size() == 2)
            out.push_back(
                {event, id_of(pair.items[0].text), Instant{std::int64_t(pair.items[1].number)}});
    co_return out;
}

LineStore::Step<bool> RedisLines::take_turn(Context context, EventId event, Duration gather,
                                            MessageId begun) {
    turns_.erase(event); // none, until it is known
    const Reply reply = TRY(co_await step(context, event, "turn",
                                          {options_.holder, std::to_string(options_.turn.us), run(),
                                           std::to_string(gather.us), begun.text(), generation_}));
    if (reply.items.size() != 2) co_return other_form();
    if (reply.items[1].text == no_fence) co_return false;
    turns_[event] = reply.items[1].text;
    co_return true;
}

LineStore::Step<bool> RedisLines::note_seen(Context context, EventId event, RoomSeen seen) {
    TRY(co_await step(context, event, "set",
                      {"seen_phase", word(seen.phase), "seen_next", word(seen.next), "seen_serving",
                       word(seen.serving), "seen_voids", word(seen.voids_served)}));
    co_return true;
}

LineStore::Step<std::uint64_t> RedisLines::raise_epoch(Context context, EventId event,
                                                       std::uint64_t epoch) {
    const Reply reply = TRY(co_await step(context, event, "epoch", {word(epoch)}));
    if (reply.items.size() != 2) co_return other_form();
    co_return number_of(reply.items[1].text);
}

LineStore::Step<Levers> RedisLines::pull(Context context, Act act) {
    Words words = act_words(act);
    append(words, pull_words(act.pull));
    const Reply reply = TRY(co_await step(context, act.event, "pull", std::move(words)));
    if (reply.items.size() != 2) co_return other_form();
    co_return hall_of(reply.items[1].items).levers;
}

LineStore::Step<Levers> RedisLines::take_newest(Context context, EventId event, Levers others) {
    const Reply reply = TRY(co_await step(context, event, "newest", pulled_words(others)));
    if (reply.items.size() != 2) co_return other_form();
    co_return hall_of(reply.items[1].items).levers;
}

LineStore::Step<bool> RedisLines::tell_levers(Context context, GenerationId generation,
                                              EventId event, MessageId message) {
    TRY(co_await step(context, event, "tell_levers", {message.text(), generation.text()}, true));
    co_return true;
}

LineStore::Step<bool> RedisLines::note_awaited(Context context, EventId event, MessageId message) {
    const Reply reply = TRY(co_await step(context, event, "awaited", {message.text()}));
    co_return reply.items.size() == 2 && reply.items[1].integer == 1;
}

Task<Result<Cleared>> RedisLines::cleared(Context context, EventId event, std::string name,
                                          Words words) {
    const Reply reply = TRY(co_await step(context, event, std::move(name), std::move(words)));
    if (reply.items.size() != 3) co_return other_form();
    Cleared out;
    out.epoch = number_of(reply.items[1].text);
    const auto& entries = reply.items[2].items;
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2)
        out.revoked.push_back({event, id_of(entries[i].text), instant_of(entries[i + 1].text)});
    co_return out;
}

LineStore::Step<Cleared> RedisLines::clear(Context context, Act act, std::uint64_t epoch) {
    Words words = act_words(act);
    words.push_back(word(epoch));
    co_return co_await cleared(context, act.event, "clear", std::move(words));
}

LineStore::Step<Cleared> RedisLines::clear_again(Context context, GenerationId generation,
                                                 EventId event, std::uint64_t epoch) {
    co_return co_await cleared(context, event, "clear_again", {generation.text(), word(epoch)});
}

LineStore::Step<std::vector<DoneAct>> RedisLines::acts(Context context, EventId event,
                                                       std::int64_t most) {
    const Reply reply = TRY(co_await redis_.command(
        context, Command{"LRANGE", LineKeys(event).acts(), "0"}.add(most - 1)));
    std::vector<DoneAct> out;
    for (const Reply& item : reply.items) {
        const std::string_view text = item.text;
        const std::size_t first = text.find(' '), second = text.find(' ', first + 1);
        if (second == std::string_view::npos) continue;
        out.push_back({instant_of(text.substr(0, first)),
                       {id_of(text.substr(first + 1, second - first - 1))},
                       std::string(text.substr(second + 1))});
    }
    co_return out;
}

LineStore::Step<Joined> RedisLines::join(Context context, Join join) {
    const EventId event = join.event;
    co_return co_await crowd(event).joins.ask(context, life(event), std::move(join));
}

LineStore::Step<std::optional<Member>> RedisLines::retake(Context context, Retake retake) {
    co_return co_await member_after(context, retake.event, "retake",
                                    {retake.account.text(), word(retake.epoch),
                                     word(retake.arrival_max()), id_word(retake.entry),
                                     word(retake.admitted), word(retake.until)});
}

LineStore::Step<bool> RedisLines::fetched(Context context, EventId event, AccountId account,
                                          IdBytes entry) {
    const Reply reply =
        TRY(co_await step(context, event, "fetched", {account.text(), id_word(entry)}));
    co_return reply.items.size() == 2 && reply.items[1].integer == 1;
}

LineStore::Step<std::vector<Admission>> RedisLines::admit(Context context, GenerationId generation,
                                                          EventId event, Rules rules,
                                                          std::vector<Admission> admitted,
                                                          std::vector<MessageId> messages) {
    if (admitted.empty()) co_return std::vector<Admission>();
    Words words{generation.text(), redis_.primary(), std::to_string(rules.silence.us),
                word(admitted[0].admitted), word(admitted[0].until)};
    for (std::size_t i = 0; i < admitted.size(); ++i)
        append(words, {admitted[i].account.text(), word(admitted[i].arrival),
                       id_word(admitted[i].entry), messages[i].text()});
    const Reply reply = TRY(co_await step(context, event, "admit", std::move(words), true));
    if (reply.items.size() != 2) co_return other_form();
    std::vector<Admission> done;
    std::size_t at = 0;
    for (const Reply& account : reply.items[1].items)
        for (; at < admitted.size(); ++at)
            if (admitted[at].account.bytes == id_of(account.text)) {
                done.push_back(admitted[at++]);
                break;
            }
    co_return done;
}

LineStore::Step<bool> RedisLines::give_back(Context context, GenerationId generation, EventId event,
                                            AccountId account, IdBytes entry, MessageId message) {
    const Reply reply = TRY(
        co_await step(context, event, "back",
                      {account.text(), id_word(entry), message.text(), generation.text()}, true));
    co_return reply.items.size() == 2 && reply.items[1].integer == 1;
}

Task<Result<Ended>> RedisLines::end_if(Context context, EventId event, Words words) {
    const Reply reply = TRY(co_await step(context, event, "end", std::move(words)));
    if (reply.items.size() != 4) co_return other_form();
    co_return Ended{reply.items[1].integer == 1, id_of(reply.items[2].text),
                    instant_of(reply.items[3].text)};
}

LineStore::Step<Ended> RedisLines::end(Context context, GenerationId generation, EventId event,
                                       AccountId account, EndReason reason, MessageId message) {
    co_return co_await end_if(context, event,
                              {account.text(), std::string(end_reason_name(reason)), message.text(),
                               generation.text(), "any"});
}

LineStore::Step<Ended> RedisLines::expire(Context context, GenerationId generation, EventId event,
                                          AccountId account, IdBytes entry, MessageId message) {
    co_return co_await end_if(
        context, event,
        {account.text(), "expired", message.text(), generation.text(), "entry", id_word(entry)});
}

LineStore::Step<Ended> RedisLines::purchase(Context context, GenerationId generation, EventId event,
                                            AccountId account, Instant bought, MessageId seen,
                                            MessageId message) {
    co_return co_await end_if(context, event,
                              {account.text(), "bought", message.text(), generation.text(),
                               "bought", word(bought), seen.text()});
}

LineStore::Step<std::optional<Member>> RedisLines::rebuild(Context context, MessageId seen,
                                                           EntryAdmitted told, Place end_of_line,
                                                           Telling end) {
    Words words{seen.text(),
                told.account.text(),
                word(told.epoch),
                word(told.phase),
                word(told.position),
                word(told.arrival),
                id_word(told.entry.bytes),
                id_word(told.receipt.bytes),
                word(told.admitted),
                word(told.until)};
    append(words, place_words(end_of_line));
    append(words, {end.message.text(), end.generation.text()});
    co_return co_await member_after(context, told.event, "rebuild_admitted", std::move(words));
}

LineStore::Step<std::optional<Member>> RedisLines::rebuild(Context context, MessageId seen,
                                                           EntryReturned told) {
    co_return co_await member_after(context, told.event, "rebuild_returned",
                                    {seen.text(), told.account.text(), id_word(told.entry.bytes)});
}

LineStore::Step<std::optional<Member>> RedisLines::rebuild(Context context, MessageId seen,
                                                           EntryEnded told, Place end_of_line) {
    Words words{seen.text(),      told.account.text(), word(told.epoch),
                word(told.phase), word(told.position), word(told.arrival)};
    append(words, place_words(end_of_line));
    co_return co_await member_after(context, told.event, "rebuild_ended", std::move(words));
}

} // namespace urr::queue
