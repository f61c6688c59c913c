// A line that several processes share: what memory has of it follows the store.
#include "services/queue/service.hpp"

namespace urr::queue {

namespace {
constexpr Duration overlap = seconds(5); // of what processes with different clocks write
}

// Before somebody is answered: as the store has him, whichever process he came to before. While the
// store is away those whom memory knows are told how they stood.
Task<Result<void>> Service::catch_up(Context context, EventId event, AccountId account) {
    if (!parts_.lines.is_shared()) co_return Result<void>{};
    auto stored = co_await parts_.lines.see(context, event, account);
    if (!stored && stored.error().code() == Code::QUEUE_RECOVERING) {
        const auto facts = parts_.events.find(event);
        if (!facts) co_return fail(Code::NOT_FOUND);
        TRY(co_await begin_anew(context, event, *facts));
        stored = co_await parts_.lines.see(context, event, account);
    }
    if (!stored && hall(event).line.find(account)) co_return Result<void>{};
    if (!stored) co_return fail(std::move(stored).error());
    Member gone;
    gone.state = MemberState::ended;
    take_over(event, {account, stored->value_or(gone)});
    co_return Result<void>{};
}

// Once a tick: what others did, levers and epoch, and whose turn it is.
Task<Result<void>> Service::follow(Context context, EventId event, EventFacts facts) {
    if (!parts_.lines.is_shared()) co_return Result<void>{};
    Hall& of = hall(event);
    of.our_turn = false;
    const Instant at = now();
    auto news = co_await parts_.lines.follow(context, event, of.version, of.seen_until);
    if (!news && news.error().code() == Code::QUEUE_RECOVERING) {
        TRY(co_await begin_anew(context, event, facts));
        news = co_await parts_.lines.follow(context, event, of.version, of.seen_until);
    }
    if (!news) co_return fail(std::move(news).error());
    of.seen_until = at - overlap;
    of.version = news->version;
    of.take(news->hall);
    const bool is_another_epoch = news->hall.epoch != of.epoch;
    if (is_another_epoch) { // cleared by another process, or the room was reset
        of.epoch = news->hall.epoch;
        of.seen = {};
    }
    if (news->whole) of.line = Line();
    for (const StoredMember& one : news->members) take_over(event, one);
    for (const auto& [account, seen] : news->seen) of.line.saw(account, seen);
    if (is_another_epoch) dismiss_cleared(of);
    if (news->whole) of.line.rank(of.rules(parts_.rules), at); // nobody is told a rank in between
    std::vector<AccountId> listening;
    of.audience.each_account([&](const AccountId& account) { listening.push_back(account); });
    if (!listening.empty()) TRY(co_await parts_.lines.saw(context, event, std::move(listening)));
    const bool had_turn = std::exchange(of.had_turn, false);
    of.our_turn = TRY(co_await parts_.lines.take_turn(context, event, parts_.gather, message_id()));
    of.had_turn = of.our_turn;
    if (!of.our_turn || had_turn) co_return Result<void>{};
    // Behind the reports of whoever had it before, whatever our clock says.
    of.sequence = std::max(of.sequence, news->time + std::uint64_t(overlap.us));
    co_return co_await tell_revoked(context, event);
}

// Whoever had the turn before may have ended without telling what it revoked.
Task<Result<void>> Service::tell_revoked(Context context, EventId event) {
    for (const RevokedEntry& one : TRY(co_await parts_.lines.revoked(context, event)))
        if (one.until > now() && !parts_.revoked.is_revoked(event, one.entry))
            parts_.revoked.revoke(event, one.entry, one.until);
    co_return Result<void>{};
}

void Service::take_over(const EventId& event, const StoredMember& stored) {
    Hall& of = hall(event);
    const AccountId& account = stored.account;
    const Member* const mine = of.line.find(account);
    if (stored.member.state == MemberState::ended) {
        if (!mine) return;
        of.line.end(account);
        of.audience.dismiss(account, event_frame("ended", R"({"reason":"left"})"));
        return;
    }
    Member member = stored.member;
    const bool was_waiting = mine && mine->state == MemberState::waiting;
    member.rank = mine ? mine->rank : std::uint64_t(of.line.waiting());
    if (mine) member.seen = std::max(member.seen, mine->seen);
    of.line.restore(account, member);
    if (was_waiting && member.state == MemberState::active)
        of.audience.tell(account, event_frame("admitted", "{}"));
}

// The life of the store: another one where it was lost; the log is read anew then.
Task<Result<void>> Service::renew_generation(Context context) {
    const GenerationId fresh = GenerationId::make(now(), parts_.random);
    const auto generation = TRY(co_await parts_.lines.open(context, fresh, message_id()));
    generation_ = generation.id;
    log_read_ = generation.log_read;
    co_return Result<void>{};
}

// The store knows nothing of the event: nothing that memory had of the line holds any more.
Task<Result<void>> Service::begin_anew(Context context, EventId event, EventFacts facts) {
    Hall& of = hall(event);
    of.known = false;
    of.line = Line();
    of.version = 0;
    of.seen_until = {};
    of.our_turn = false;
    TRY(co_await renew_generation(context));
    co_return co_await know(context, event, facts);
}

} // namespace urr::queue
