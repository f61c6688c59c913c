#include "services/queue/service.hpp"

#include <algorithm>

namespace urr::queue {

namespace {

constexpr Duration place_life = hours(24);

constexpr auto join_work = [](Tx& tx, const Join& join) { return write_join(tx, join); };
constexpr auto admit_work = [](Tx& tx, EventId event, const std::vector<Admission>& admitted,
                               const std::vector<MessageId>& messages) {
    return write_admissions(tx, event, admitted, messages);
};
constexpr auto end_work = [](Tx& tx, EventId event, AccountId account) {
    return write_end(tx, event, account);
};
constexpr auto line_work = [](Tx& tx, EventId event) { return read_line(tx, event); };

} // namespace

Service::Hall& Service::hall(const EventId& event) {
    auto& slot = halls_[event];
    if (!slot) {
        slot = std::make_unique<Hall>();
        slot->rules = parts_.rules;
    }
    return *slot;
}

Task<Result<void>> Service::open(Context context) {
    for (const EventId& event : parts_.events.published()) {
        const auto members = TRY(co_await parts_.database.read(context, line_work, event));
        Hall& of = hall(event);
        for (const auto& [account, member] : members) of.line.restore(account, member);
        of.line.rank();
    }
    co_return Result<void>{};
}

Task<Result<Standing>> Service::enter(Context context, EventId event, std::string token) {
    const auto facts = parts_.events.find(event);
    if (!facts || !facts->published) co_return fail(Code::NOT_FOUND);
    if (!facts->on_sale) co_return fail(Code::SALE_NOT_OPEN);
    const AccountId account = context.principal.account;
    Hall& of = hall(event);
    if (Member* member = of.line.find(account)) { // a second tab sees the same place
        of.line.saw(account, parts_.clock.now());
        co_return standing(event, account, *member, of, *facts);
    }
    if (facts->free + facts->under_way == 0) co_return fail(Code::SOLD_OUT);
    Join join{event, account, {}, {}, false};
    join.place.arrival = of.line.next_arrival();
    if (facts->room) {
        if (token.empty()) co_return fail(Code::VWR_TOKEN_REQUIRED);
        auto claims =
            verify_token(parts_.waiting_room_keys, token, TokenType::vwr, parts_.clock.now());
        // Position 0 was given while the room was off: no place in it.
        if (!claims || claims->event != event || claims->position == 0)
            co_return fail(Code::VWR_TOKEN_INVALID);
        join.place.epoch = claims->epoch;
        join.place.phase = claims->phase;
        join.place.position = claims->position;
        join.waiting_room_token = claims->id;
        join.has_token = true;
    }
    const Place place = TRY(co_await parts_.database.transact(context, join_work, join));
    Member& member = of.line.join(account, place, parts_.clock.now());
    co_return standing(event, account, member, of, *facts);
}

Standing Service::standing(const EventId& event, const AccountId& account, const Member& member,
                           const Hall& of, const EventFacts& facts) const {
    Standing s;
    s.sold_out = facts.free + facts.under_way == 0;
    Claims claims;
    claims.subject = account;
    claims.event = event;
    if (member.state == MemberState::active) {
        s.active = true;
        s.expires = member.until;
        claims.type = TokenType::entry;
        claims.id = member.token;
        claims.expires = member.until;
        claims.issued = member.until - of.rules.active;
        s.entry_token = sign_token(parts_.entry_key, claims);
        return s;
    }
    s.ahead = member.rank;
    s.behind = std::uint64_t(std::max<std::int64_t>(0, of.line.waiting() - 1)) -
               std::min<std::uint64_t>(
                   s.ahead, std::uint64_t(std::max<std::int64_t>(0, of.line.waiting() - 1)));
    const std::int64_t rate = std::max<std::int64_t>(1, of.admitted_last);
    s.wait_seconds = std::int64_t(s.ahead) / rate + 1;
    s.poll_after_seconds = poll_after_seconds(s.ahead);
    if (std::int64_t(s.ahead) > facts.free + facts.under_way && s.ahead > 0)
        s.odds = double(facts.free + facts.under_way) / double(s.ahead);
    claims.type = TokenType::place;
    claims.epoch = member.place.epoch;
    claims.phase = member.place.phase;
    claims.position = member.place.position ? member.place.position : member.place.arrival;
    claims.issued = parts_.clock.now();
    claims.expires = claims.issued + place_life;
    s.place = sign_token(parts_.place_key, claims);
    return s;
}

Result<Standing> Service::status(const Context& context, const EventId& event) {
    const auto facts = parts_.events.find(event);
    if (!facts || !facts->published) return fail(Code::NOT_FOUND);
    Hall& of = hall(event);
    Member* member = of.line.find(context.principal.account);
    if (!member) return fail(Code::NOT_IN_QUEUE);
    of.line.saw(context.principal.account, parts_.clock.now());
    return standing(event, context.principal.account, *member, of, *facts);
}

Task<Result<void>> Service::leave(Context context, EventId event) {
    Hall& of = hall(event);
    const AccountId account = context.principal.account;
    const Member* member = of.line.find(account);
    if (!member) co_return fail(Code::NOT_IN_QUEUE);
    if (member->state == MemberState::active)
        parts_.revoked.revoke(event, member->token, member->until);
    TRY(co_await parts_.database.transact(context, end_work, event, account));
    of.line.end(account);
    co_return Result<void>{};
}

Result<Service::Overview> Service::overview(const EventId& event) {
    if (!parts_.events.find(event)) return fail(Code::NOT_FOUND);
    const Hall& of = hall(event);
    return Overview{of.line.waiting(), of.line.active(), of.rules.threshold, of.paused};
}

Result<Service::Overview> Service::set_threshold(const EventId& event, std::int64_t threshold) {
    TRY_PLAIN(overview(event));
    hall(event).rules.threshold = threshold;
    return overview(event);
}

Result<Service::Overview> Service::set_paused(const EventId& event, bool paused) {
    TRY_PLAIN(overview(event));
    hall(event).paused = paused;
    return overview(event);
}

// Written first, then in effect: an entry token is never out that the store does not know.
Task<> Service::admit(Context context, EventId event, Hall& of) {
    const Instant now = parts_.clock.now();
    of.admitted_last = 0;
    if (of.paused) co_return;
    const auto chosen = of.line.next(of.rules, now, parts_.admitted_per_second_max);
    if (chosen.empty()) co_return;
    std::vector<Admission> admitted;
    std::vector<MessageId> messages;
    for (const AccountId& account : chosen) {
        // Whole seconds, as tokens have them: the slot and its token end together.
        const Instant until{(now + of.rules.active).us / 1'000'000 * 1'000'000};
        admitted.push_back({account, make_id_bytes(now, parts_.random), until});
        messages.push_back(MessageId::make(now, parts_.random));
    }
    const auto written = co_await parts_.database.transact(context, admit_work, event, admitted,
                                                           std::move(messages));
    if (!written) co_return; // the next tick chooses again; what was written is found at a restart
    for (const Admission& admission : admitted) of.line.admit(admission);
    of.admitted_last = std::int64_t(admitted.size());
}

Task<> Service::report(Context context, EventId event, Hall& of, const EventFacts& facts) {
    const Instant now = parts_.clock.now();
    if (of.epoch == 0) of.epoch = 1; // the room keeps a higher one; a reset raises it
    of.sequence = std::uint64_t(now.us);
    const bool sold_out = facts.free + facts.under_way == 0;
    const std::int64_t room =
        std::max<std::int64_t>(0, of.rules.threshold - of.line.active() - of.line.waiting());
    // What tier 2 can take in the next second, as a rate per minute.
    const std::int64_t rate = std::min(room, parts_.admitted_per_second_max) * 60;
    const char* state = !facts.room ? "off" : !facts.on_sale ? "prequeue" : "open";
    const std::string path = "/vwr/rooms/" + event.text();
    const std::string body =
        "{\"epoch\":" + std::to_string(of.epoch) + ",\"sequence\":" + std::to_string(of.sequence) +
        ",\"state\":\"" + (of.paused ? "paused" : state) + "\",\"rate\":" + std::to_string(rate) +
        ",\"soldOut\":" + (sold_out ? "true" : "false") + "}";
    Request request;
    request.method = Method::put;
    request.target = request.path = path;
    request.body = body;
    request.add_header("Content-Type", type_json);
    const CallerHeaders headers(parts_.caller, "vwr", Principal{}, request, now);
    headers.attach(request);
    (void)co_await parts_.waiting_room.send(context, request); // the next second tells it again
}

Task<> Service::tick(Context context) {
    const Instant now = parts_.clock.now();
    parts_.revoked.prune(now);
    for (const EventId& event : parts_.events.published()) {
        const auto facts = parts_.events.find(event);
        if (!facts) continue;
        Hall& of = hall(event);
        for (const AccountId& account : of.line.overdue(now))
            if (co_await parts_.database.transact(context, end_work, event, account))
                of.line.end(account);
        if (facts->on_sale) co_await admit(context, event, of);
        of.line.rank();
        co_await report(context, event, of, *facts);
    }
}

Task<> Service::run_jobs() {
    for (;;) {
        Context context;
        context.deadline = Loop::here().now() + seconds(5);
        co_await tick(context);
        (void)co_await sleep(Context{}, seconds(1));
    }
}

} // namespace urr::queue
