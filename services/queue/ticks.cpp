// What happens each second: slots end, the next are let in, everybody is told, the waiting room
// gets its report.
#include <algorithm>
#include <cmath>
#include <set>

#include "services/queue/service.hpp"

namespace urr::queue {

namespace {

constexpr std::size_t landmarks_max = 64;
// The log forgets: at the earliest after an hour, the shortest time that it can be set to.
constexpr Duration levers_told_each = minutes(30);
constexpr Duration reports_time = seconds(1); // for all events of a tick

bool same(const RoomSeen& a, const RoomSeen& b) {
    return a.phase == b.phase && a.next == b.next && a.serving == b.serving &&
           a.voids_served == b.voids_served;
}

} // namespace

Task<> Service::run_jobs() {
    for (;;) {
        Context context;
        context.deadline = Loop::here().now() + seconds(5);
        co_await tick(context);
        (void)co_await sleep(Context{}, seconds(1));
    }
}

Task<> Service::tick(Context context) {
    parts_.revoked.prune(now());
    if (parts_.lines.is_shared()) (void)co_await renew_generation(context);
    for (const EventId& event : parts_.events.published()) {
        const auto facts = parts_.events.find(event);
        if (!facts) continue;
        if (!co_await know(context, event, *facts)) continue; // the next tick asks again
        if (!co_await follow(context, event, *facts)) continue;
        co_await tick_event(context, event, *facts);
    }
    // After all lines have gone on: a waiting room that hangs holds up none of them.
    context.deadline = std::min(context.deadline, Loop::here().now() + reports_time);
    for (const EventId& event : parts_.events.published())
        if (const auto facts = parts_.events.find(event);
            facts && hall(event).known && hall(event).our_turn)
            co_await report(context, event, hall(event), *facts);
    std::int64_t waiting = 0, awake = 0, active = 0, gathering = 0;
    for (const auto& [event, of] : halls_) {
        waiting += of->line.waiting();
        awake += of->line.awake();
        active += of->line.active();
        gathering += recovering(*of) ? 1 : 0;
    }
    metrics_.waiting.set(waiting);
    metrics_.awake.set(awake);
    metrics_.active.set(active);
    metrics_.recovering.set(gathering);
    metrics_.streams.set(std::int64_t(stream_limit_->open));
}

Task<> Service::tick_event(Context context, EventId event, EventFacts facts) {
    Hall& of = hall(event);
    const Instant at = now();
    const Duration span = of.ticked == Instant{} ? seconds(1) : at - of.ticked;
    of.ticked = at;
    of.audience.each_account([&](const AccountId& account) { of.line.saw(account, at); });
    std::int64_t admitted = 0;
    if (of.our_turn) {
        co_await end_overdue(context, event, of);
        co_await return_unfetched(context, event, of);
        if (!facts.over) co_await repeat_levers(context, event, of);
        if (admits(of, facts)) admitted = co_await admit(context, event, of);
    }
    of.pace.observe(admitted, span);
    of.line.rank(of.rules(parts_.rules), now());
    if (!of.audience.empty()) show(of, facts);
}

bool Service::admits(const Hall& of, const EventFacts& facts) const {
    return facts.on_sale && !facts.sold_out() && !of.levers.paused &&
           of.levers.room != RoomLever::prequeue && !recovering(of);
}

Task<> Service::end_overdue(Context context, EventId event, Hall& of) {
    for (const AccountId& account : of.line.overdue(now()))
        if (!co_await expire(context, event, account)) co_return; // the next tick tries again
}

// A fetched slot whose time is over ends; anything else stays. The tick and its holder may both
// come here, and he may have a new place by the time the tick does.
Task<Result<void>> Service::expire(Context context, EventId event, AccountId account) {
    Hall& of = hall(event);
    const Member* member = of.line.find(account);
    if (!member || !member->over(now())) co_return Result<void>{};
    const IdBytes entry = member->entry;
    auto ended =
        co_await parts_.lines.expire(context, generation_, event, account, entry, message_id());
    if (!ended) {
        metrics_.failed_writes.add();
        co_return fail(std::move(ended).error());
    }
    if (ended->ended) metrics_.expired.add();
    member = of.line.find(account);
    if (member && member->entry == entry) dismiss(event, account, *ended, "expired");
    co_return Result<void>{};
}

// Levers that somebody has pulled are told again, so that the log has them when the store is lost.
Task<> Service::repeat_levers(Context context, EventId event, Hall& of) {
    if (of.levers.pulls.last() == 0 || recovering(of) || now() < of.levers_told + levers_told_each)
        co_return;
    if (co_await parts_.lines.tell_levers(context, generation_, event, message_id()))
        of.levers_told = now();
    else
        metrics_.failed_writes.add(); // the next tick tells them
}

Task<> Service::return_unfetched(Context context, EventId event, Hall& of) {
    for (const AccountId& account : of.line.unfetched(parts_.rules, now())) {
        const Member* member = of.line.find(account);
        if (!member) continue;
        const IdBytes entry = member->entry;
        const Instant until = member->until;
        const auto returned = co_await parts_.lines.give_back(context, generation_, event, account,
                                                              entry, message_id());
        if (!returned) {
            metrics_.failed_writes.add();
            co_return;
        }
        if (!*returned) { // fetched at the last moment, or by a request that never heard of it
            co_await recall(context, event, account, of);
            continue;
        }
        parts_.revoked.revoke(event, entry, until);
        of.line.take_back(account, entry);
        metrics_.returned.add();
    }
}

Task<std::int64_t> Service::admit(Context context, EventId event, Hall& of) {
    const Instant at = now();
    const Rules rules = of.rules(parts_.rules);
    std::vector<Admission> admitted;
    std::vector<MessageId> messages;
    const std::vector<AccountId> chosen = of.line.next(rules, at, of.levers.per_second);
    for (const AccountId& account : chosen) {
        // Whole seconds, as tokens have them: the slot and its token end together.
        const Instant until{(at + rules.active).us / 1'000'000 * 1'000'000};
        admitted.push_back({account, of.line.find(account)->place.arrival,
                            make_id_bytes(at, parts_.random), at, until});
        messages.push_back(message_id());
    }
    if (admitted.empty()) co_return 0;
    const auto written = co_await parts_.lines.admit(context, generation_, event, rules,
                                                     std::move(admitted), std::move(messages));
    if (!written) { // the next tick chooses them again
        metrics_.failed_writes.add();
        co_return 0;
    }
    for (const Admission& admission : *written) {
        of.line.admit(admission);
        of.audience.tell(admission.account, event_frame("admitted", "{}"));
    }
    metrics_.admitted.add(written->size());
    if (written->size() < chosen.size()) {
        std::set<AccountId> let_in;
        for (const Admission& admission : *written) let_in.insert(admission.account);
        for (const AccountId& account : chosen)
            if (!let_in.contains(account)) co_await recall(context, event, account, of);
    }
    co_return std::int64_t(written->size());
}

// A write went through though its outcome was never told: memory takes over what the store says.
// It is read in the writer's order, so that nothing older than what memory knows comes back.
Task<> Service::recall(Context context, EventId event, AccountId account, Hall& of) {
    if (!of.line.find(account)) co_return; // it has ended meanwhile
    const auto stored = co_await parts_.lines.member(context, event, account);
    const Member* mine = of.line.find(account);
    if (!stored || !mine) co_return; // the next tick asks again
    metrics_.recalled.add();
    if (!*stored || (*stored)->state == MemberState::ended) {
        of.line.end(account);
        co_return;
    }
    Member member = **stored;
    member.seen = mine->seen;
    member.rank = mine->rank;
    const bool let_in = mine->state == MemberState::waiting && member.state == MemberState::active;
    of.line.restore(account, member);
    if (let_in) of.audience.tell(account, event_frame("admitted", "{}"));
}

// The room's frame: rendered once for all who listen. A client finds itself between two landmarks
// of its epoch and phase.
void Service::show(Hall& of, const EventFacts& facts) {
    std::string data = "{\"epoch\":" + std::to_string(of.epoch) +
                       ",\"waiting\":" + std::to_string(of.line.waiting()) +
                       ",\"active\":" + std::to_string(of.line.active()) +
                       ",\"perMinute\":" + std::to_string(std::llround(of.pace.per_second() * 60)) +
                       ",\"soldOut\":" + (facts.nothing_left() ? "true" : "false") +
                       ",\"paused\":" + (of.levers.paused ? "true" : "false") +
                       ",\"recovering\":" + (recovering(of) ? "true" : "false") +
                       ",\"seatsLeft\":" + std::to_string(facts.free + facts.under_way);
    if (!of.levers.message.empty()) {
        data += ",\"message\":";
        append_json_text(data, of.levers.message);
    }
    data += ",\"pairs\":[";
    bool first = true;
    for (const Landmark& mark : of.line.landmarks(landmarks_max)) {
        data += std::string(first ? "[" : ",[") + std::to_string(mark.place.epoch) + "," +
                std::to_string(mark.place.phase) + "," + std::to_string(mark.place.number()) + "," +
                std::to_string(mark.ahead) + "]";
        first = false;
    }
    data += "]}";
    of.frame = event_frame("room", data, std::to_string(++of.frame_number));
    metrics_.frames.add();
    of.audience.publish(of.frame);
}

Task<> Service::report(Context context, EventId event, Hall& of, EventFacts facts) {
    RoomReport report;
    report.epoch = of.epoch;
    // The store's time goes on from what is stored, also when the clock was set back.
    const Instant store_time = opened_ + (Loop::here().now() - opened_at_);
    of.sequence = std::max(of.sequence + 1, std::uint64_t(std::max(now(), store_time).us));
    report.sequence = of.sequence;
    // After the sale the room says the same: no places any more, and those who wait are told.
    // Before a prolonged sale they still have theirs.
    report.sold_out = facts.nothing_left();
    const bool before = !(facts.on_sale || facts.over) || of.levers.room == RoomLever::prequeue;
    const bool still = facts.over || of.levers.paused || recovering(of);
    report.state = !of.room_stands(facts) ? "off" : before ? "prequeue" : still ? "paused" : "open";
    // What tier 2 can take in the next second, as a rate per minute. Who sleeps needs no room yet.
    const std::int64_t room = of.levers.threshold - of.line.active() - of.line.awake();
    report.rate_per_minute =
        std::clamp<std::int64_t>(std::min(room, of.levers.per_second), 0, 100'000) * 60;
    const auto seen = co_await room_.report(context, event, report, of.seen);
    if (!seen) {
        metrics_.failed_reports.add();
        if (seen.error().code() == Code::REPORT_STALE) co_await follow_epoch(context, event, of);
        co_return; // the next second tells it again
    }
    if (seen->epoch != of.epoch) co_return;
    const bool news = !same(*seen, of.seen);
    of.seen = *seen;
    if (news && !co_await parts_.lines.note_seen(context, event, *seen))
        metrics_.failed_writes.add();
}

// The room is in a later epoch than this store knows: its receipts are of that one.
Task<> Service::follow_epoch(Context context, EventId event, Hall& of) {
    const auto seen = co_await room_.status(context, event);
    if (!seen || seen->epoch <= of.epoch) co_return;
    const auto epoch = co_await parts_.lines.raise_epoch(context, event, seen->epoch);
    if (epoch) of.epoch = *epoch;
}

void Service::close_streams() {
    for (auto& [event, of] : halls_) of->audience.close();
}

} // namespace urr::queue
