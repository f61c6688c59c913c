// What a fan may ask: a place, how it stands, to leave, to listen.
#include <algorithm>

#include "services/queue/service.hpp"

namespace urr::queue {

namespace {

constexpr Duration place_life = hours(24);
constexpr std::uint64_t retry_ms_min = 1'000, retry_ms_spread = 9'000;

} // namespace

// An event that nobody knows may have been published a moment ago.
Task<Result<EventFacts>> Service::facts_of(Context context, EventId event) {
    auto facts = parts_.events.find(event);
    if (facts) co_return facts;
    TRY(co_await parts_.events.refresh(context));
    co_return parts_.events.find(event);
}

Task<Result<Standing>> Service::enter(Context context, EventId event, Shown shown) {
    const EventFacts facts = TRY(co_await facts_of(context, event));
    if (!facts.on_sale) co_return fail(Code::SALE_NOT_OPEN);
    TRY(co_await know(context, event, facts));
    const AccountId account = context.principal.account;
    TRY(co_await catch_up(context, event, account));
    if (TRY(co_await stands(context, event, account))) // a second tab sees the same place
        co_return TRY(co_await stand(context, event, account));
    if (TRY(co_await retake(context, event, shown.entry)))
        co_return TRY(co_await stand(context, event, account));
    if (facts.sold_out()) co_return fail(Code::SOLD_OUT);
    co_return TRY(co_await give_place(context, event, std::move(shown)));
}

Task<Result<Standing>> Service::give_place(Context context, EventId event, Shown shown) {
    const EventFacts facts = TRY(parts_.events.find(event));
    Hall& of = hall(event);
    const AccountId account = context.principal.account;
    Join join = TRY(join_of(of, event, facts, account, shown));
    const bool restored = join.shown;
    auto joined = co_await parts_.lines.join(context, std::move(join));
    if (!joined) {
        if (joined.error().code() == Code::VWR_TOKEN_SPENT) metrics_.spent.add();
        co_return fail(std::move(joined).error());
    }
    if (joined->place.epoch < of.epoch) co_return fail(Code::ROOM_CHANGED); // cleared meanwhile
    of.line.join(account, joined->place, joined->receipt, now());
    (restored ? metrics_.restored : metrics_.joined).add();
    co_return TRY(co_await stand(context, event, account));
}

// An entry token of ours whose account the store does not know: the store was lost.
Task<Result<bool>> Service::retake(Context context, EventId event, const std::string& token) {
    if (token.empty()) co_return false;
    const auto claims = verify_token(parts_.shown_keys, token, TokenType::entry, now());
    const AccountId account = context.principal.account;
    if (!claims || claims->event != event || claims->subject != account) co_return false;
    Hall& of = hall(event);
    Retake retake{event, account, of.epoch, claims->id, claims->issued, claims->expires};
    const auto member = co_await parts_.lines.retake(context, std::move(retake));
    if (!member && member.error().code() != Code::ENTRY_TOKEN_REVOKED)
        co_return fail(member.error().clone());
    if (member && *member && (*member)->state == MemberState::ended) { // he has bought with it
        parts_.revoked.revoke(event, claims->id, claims->expires);
        co_return of.line.find(account) != nullptr;
    }
    if (!member || !*member || of.line.find(account)) co_return of.line.find(account) != nullptr;
    of.line.restore(account, **member);
    metrics_.retaken.add();
    co_return true;
}

Result<Join> Service::join_of(Hall& of, const EventId& event, const EventFacts& facts,
                              const AccountId& account, const Shown& shown) {
    Join join;
    join.event = event;
    join.account = account;
    join.end_of_line = end_of(of, of.epoch);
    join.place.epoch = of.epoch;
    join.place.arrival = of.line.next_arrival(now());
    if (take_shown_place(of, shown.place, join)) return join;
    if (of.room_stands(facts)) TRY_PLAIN(take_room_token(of, shown.room, join));
    return join;
}

// False: none, not this account's, or of an epoch that is over.
bool Service::take_shown_place(const Hall& of, const std::string& token, Join& join) const {
    if (token.empty()) return false;
    const auto claims = verify_token(parts_.shown_keys, token, TokenType::place, now());
    if (!claims || claims->event != join.event || claims->subject != join.account ||
        claims->epoch != of.epoch)
        return false;
    join.place = {claims->epoch, claims->phase, claims->position, claims->arrival};
    join.receipt = claims->id;
    join.shown = true;
    return true;
}

Result<> Service::take_room_token(const Hall& of, const std::string& token, Join& join) const {
    if (token.empty()) return fail(Code::VWR_TOKEN_REQUIRED);
    const auto claims = verify_token(parts_.shown_keys, token, TokenType::vwr, now());
    // Position 0 was given while the room was off: no place in it.
    if (!claims || claims->event != join.event || claims->position == 0)
        return fail(Code::VWR_TOKEN_INVALID);
    if (claims->epoch < of.epoch) return fail(Code::ROOM_CHANGED);
    join.place.epoch = claims->epoch;
    join.place.phase = claims->phase;
    join.place.position = claims->position;
    join.receipt = claims->id;
    return {};
}

Task<Result<Standing>> Service::status(Context context, EventId event, Shown shown) {
    TRY(co_await know(context, event, TRY(co_await facts_of(context, event))));
    Hall& of = hall(event);
    const AccountId account = context.principal.account;
    TRY(co_await catch_up(context, event, account));
    if (TRY(co_await stands(context, event, account)))
        co_return TRY(co_await stand(context, event, account));
    if (TRY(co_await retake(context, event, shown.entry)))
        co_return TRY(co_await stand(context, event, account));
    Join place;
    place.event = event;
    place.account = account;
    if (of.admits_from != Instant{} && take_shown_place(of, shown.place, place))
        co_return TRY(co_await give_place(context, event, std::move(shown)));
    if (recovering(of)) co_return fail(Error(Code::QUEUE_RECOVERING).retry_after(2));
    co_return fail(Code::NOT_IN_QUEUE);
}

// In the line. A slot ends with its time, not only with the tick that comes after it.
Task<Result<bool>> Service::stands(Context context, EventId event, AccountId account) {
    TRY(co_await expire(context, event, account));
    co_return hall(event).line.find(account) != nullptr;
}

// How the account stands. Its entry token is handed over only when that is written down: from then
// on it is not taken back.
Task<Result<Standing>> Service::stand(Context context, EventId event, AccountId account) {
    Hall& of = hall(event);
    const Member* member = of.line.find(account);
    if (!member) co_return fail(Code::NOT_IN_QUEUE);
    of.line.saw(account, now());
    if (member->state == MemberState::active && !member->fetched) {
        // The slot has passed before anybody could fetch it: the next tick gives the place back.
        if (member->until <= now()) co_return fail(Error(Code::UNAVAILABLE).retry_after(1));
        const IdBytes entry = member->entry;
        const bool fetched = TRY(co_await parts_.lines.fetched(context, event, account, entry));
        Member* after = of.line.find(account);
        // The store was found lost meanwhile: nobody is in a line that is not known.
        if (!after) co_return fail(recovering(of) ? Code::QUEUE_RECOVERING : Code::NOT_IN_QUEUE);
        // It is being taken back, or was, and he is in anew: the next answer tells it.
        if (!fetched || after->entry != entry)
            co_return fail(Error(Code::UNAVAILABLE).retry_after(1));
        after->fetched = true;
        metrics_.fetched.add();
    }
    member = of.line.find(account);
    const auto facts = parts_.events.find(event);
    if (!member || !facts) co_return fail(Code::NOT_IN_QUEUE);
    // It has ended while this was written down.
    if (member->over(now())) co_return fail(Error(Code::UNAVAILABLE).retry_after(1));
    co_return standing(event, account, *member, of, *facts);
}

Standing Service::standing(const EventId& event, const AccountId& account, const Member& member,
                           const Hall& of, const EventFacts& facts) const {
    Standing s;
    const bool active = member.state == MemberState::active;
    s.sold_out = active ? facts.sold_out() : facts.nothing_left();
    s.message = of.levers.message;
    if (active) {
        s.active = true;
        s.expires = member.until;
        Claims claims;
        claims.type = TokenType::entry;
        claims.subject = account;
        claims.event = event;
        claims.id = member.entry;
        claims.expires = member.until;
        claims.issued = member.until - parts_.rules.active;
        s.entry_token = sign_token(parts_.entry_key, claims);
        return s;
    }
    s.recovering = recovering(of);
    s.ahead = member.rank;
    const auto others = std::uint64_t(std::max<std::int64_t>(0, of.line.waiting() - 1));
    s.behind = others - std::min(s.ahead, others);
    const std::int64_t room =
        std::min(of.levers.threshold - of.line.active(), of.levers.per_second);
    if (admits(of, facts))
        s.wait_seconds = of.pace.wait_seconds(s.ahead, room, of.line.active(), parts_.rules.active);
    s.poll_after_seconds = poll_after_seconds(s.ahead, parts_.random.next());
    // Those inside and those ahead choose before you do.
    const std::int64_t before = std::int64_t(s.ahead) + of.line.active();
    const std::int64_t seats = facts.free + facts.under_way;
    if (before >= seats) s.odds = double(seats) / double(before + 1);
    s.place = member.place;
    s.place_token = place_token(event, account, member);
    return s;
}

std::string Service::place_token(const EventId& event, const AccountId& account,
                                 const Member& member) const {
    Claims claims;
    claims.type = TokenType::place;
    claims.subject = account;
    claims.event = event;
    claims.id = member.receipt;
    claims.epoch = member.place.epoch;
    claims.phase = member.place.phase;
    claims.position = member.place.position;
    claims.arrival = member.place.arrival;
    claims.issued = now();
    claims.expires = claims.issued + place_life;
    return sign_token(parts_.place_key, claims);
}

Task<Result<void>> Service::leave(Context context, EventId event) {
    TRY(co_await know(context, event, TRY(co_await facts_of(context, event))));
    const AccountId account = context.principal.account;
    TRY(co_await catch_up(context, event, account));
    if (!hall(event).line.find(account))
        co_return fail(recovering(hall(event)) ? Code::QUEUE_RECOVERING : Code::NOT_IN_QUEUE);
    const Ended ended = TRY(co_await parts_.lines.end(context, generation_, event, account,
                                                      EndReason::left, message_id()));
    if (ended.ended) metrics_.left.add();
    dismiss(event, account, ended, "left");
    co_return Result<void>{};
}

// The store has it: out of memory, the entry revoked, the listeners told.
void Service::dismiss(const EventId& event, const AccountId& account, const Ended& ended,
                      std::string_view reason) {
    if (ended.entry != IdBytes{}) parts_.revoked.revoke(event, ended.entry, ended.until);
    Hall& of = hall(event);
    of.line.end(account);
    of.audience.dismiss(account,
                        event_frame("ended", "{\"reason\":\"" + std::string(reason) + "\"}"));
}

Result<std::unique_ptr<Stream>> Service::listen(const Context& context, const EventId& event,
                                                std::string_view last_event_id) {
    const EventFacts facts = TRY_PLAIN(parts_.events.find(event));
    Hall& of = hall(event);
    const AccountId account = context.principal.account;
    const Member* member = of.line.find(account);
    if (!member) return fail(recovering(of) ? Code::QUEUE_RECOVERING : Code::NOT_IN_QUEUE);
    of.line.saw(account, now());
    if (!of.frame) show(of, facts);
    // Whenever this stream ends, its browser comes again after a time of its own.
    std::string first =
        "retry: " + std::to_string(retry_ms_min + parts_.random.below(retry_ms_spread)) + "\n";
    const bool has_seen = last_event_id == std::to_string(of.frame_number);
    first += has_seen ? "\n" : *of.frame;
    auto stream = TRY_PLAIN(
        of.audience.subscribe(account, std::make_shared<const std::string>(std::move(first))));
    if (member->state == MemberState::active)
        of.audience.tell(account, event_frame("admitted", "{}"));
    return stream;
}

} // namespace urr::queue
