#include "services/queue/store/rebuild.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::queue {

namespace {

constexpr std::string_view consumer = "queue";

constexpr Statement bind_receipt{
    "INSERT INTO spent_tokens (event, token, account) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement put_member{
    "INSERT INTO members (event, account, epoch, phase, position, arrival, state, token, until_us, "
    "joined_us, receipt, admitted_us, fetched) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10, ?12) "
    "ON CONFLICT (event, account) DO UPDATE SET epoch = excluded.epoch, phase = excluded.phase, "
    "position = excluded.position, arrival = excluded.arrival, state = excluded.state, "
    "token = excluded.token, until_us = excluded.until_us, receipt = excluded.receipt, "
    "admitted_us = excluded.admitted_us, fetched = excluded.fetched"};

Task<Result<std::optional<Member>>> put(Tx& tx, EventId event, AccountId account, Member m) {
    m.fetched = true;
    TRY(co_await tx.run(put_member, {event, account, m.place.epoch, m.place.phase, m.place.position,
                                     m.place.arrival, int(m.state), m.entry, m.until, m.admitted,
                                     m.receipt, fetched_number(m)}));
    m.seen = tx.now;
    co_return m;
}

// The same place, though it may have been given again by its receipt, with another arrival.
bool same_place(const Member& member, const Place& place, const IdBytes& receipt) {
    const Place& own = member.place;
    if (own.epoch != place.epoch || own.phase != place.phase || own.position != place.position)
        return false;
    return own.arrival == place.arrival || (receipt != IdBytes{} && member.receipt == receipt);
}

Task<Result<bool>> tell_bought(Tx& tx, const EntryAdmitted& told, Telling end) {
    const EntryEnded bought{end.generation, told.event, told.account,  "bought",
                            told.epoch,     told.phase, told.position, told.arrival};
    TRY(co_await append_event(
        tx, end.message,
        {topic_queue, told.account.bytes, EntryEnded::type, 1, to_json(bought), ""}));
    co_return true;
}

} // namespace

Task<Result<std::optional<Member>>> rebuild_admitted(Tx& tx, MessageId seen, EntryAdmitted told,
                                                     Place end_of_line, Telling end) {
    if (!TRY(co_await first_time(tx, consumer, seen))) co_return std::nullopt;
    if (!told.receipt.is_zero())
        TRY(co_await tx.run(bind_receipt, {told.event, told.receipt.bytes, told.account}));
    Member spent;
    spent.place = {told.epoch, told.phase, told.position, told.arrival};
    spent.receipt = told.receipt.bytes;
    spent.entry = told.entry.bytes;
    spent.admitted = told.admitted;
    spent.until = told.until;
    spent.state = told.until > tx.now ? MemberState::active : MemberState::ended;
    const auto member = TRY(co_await lock_member(tx, told.event, told.account));
    // Nothing is known of him but, at most, how an earlier place ended.
    if (!member ||
        (member->state == MemberState::ended && is_after_end(*member, spent.place, {}))) {
        spent.over_heard = spent.state == MemberState::ended;
        co_return TRY(co_await put(tx, told.event, told.account, spent));
    }
    if (member->state == MemberState::ended && member->bought != Instant{} &&
        member->bought >= told.admitted) { // known before; maybe with a later entry
        spent.state = MemberState::ended;
        spent.bought = member->bought;
        if (told.until > tx.now)
            TRY(co_await write_revoked(tx, told.event, spent.entry, told.until));
        const bool is_told =
            member->entry != IdBytes{} && same_place(*member, spent.place, spent.receipt);
        if (!is_told) TRY(co_await tell_bought(tx, told, end));
        co_return TRY(co_await put(tx, told.event, told.account, spent));
    }
    if (member->state == MemberState::active && member->entry == spent.entry) {
        if (!member->fetched) co_return std::nullopt; // let in by this line itself
        co_return TRY(co_await put(tx, told.event, told.account, spent)); // with its true place
    }
    if (member->state != MemberState::waiting || !same_place(*member, spent.place, spent.receipt))
        co_return std::nullopt;
    // It was shown again before this was read: the place is spent.
    if (spent.state == MemberState::active)
        co_return TRY(co_await put(tx, told.event, told.account, spent));
    Member last = *member;
    last.place = end_of_line;
    last.receipt = {};
    co_return TRY(co_await put(tx, told.event, told.account, last));
}

Task<Result<std::optional<Member>>> rebuild_returned(Tx& tx, MessageId seen, EntryReturned told) {
    if (!TRY(co_await first_time(tx, consumer, seen))) co_return std::nullopt;
    const std::uint64_t epoch = TRY(co_await read_epoch(tx, told.event));
    auto member = TRY(co_await lock_member(tx, told.event, told.account));
    if (!member || member->state == MemberState::waiting || member->entry != told.entry.bytes)
        co_return std::nullopt;
    if (member->state == MemberState::ended && !member->over_heard)
        co_return std::nullopt; // it had an end of its own
    if (member->until > tx.now)
        TRY(co_await write_revoked(tx, told.event, member->entry, member->until));
    member->over_heard = false;
    if (member->place.epoch < epoch) { // places of an epoch that is over are worth nothing
        member->state = MemberState::ended;
        co_return TRY(co_await put(tx, told.event, told.account, *member));
    }
    member->state = MemberState::waiting;
    member->entry = {};
    member->until = {};
    co_return TRY(co_await put(tx, told.event, told.account, *member));
}

Task<Result<std::optional<Member>>> rebuild_ended(Tx& tx, MessageId seen, EntryEnded told,
                                                  Place end_of_line) {
    if (!TRY(co_await first_time(tx, consumer, seen))) co_return std::nullopt;
    const Place place{told.epoch, told.phase, told.position, told.arrival};
    auto member = TRY(co_await lock_member(tx, told.event, told.account));
    Member ended;
    ended.place = place;
    ended.state = MemberState::ended;
    if (!member) co_return TRY(co_await put(tx, told.event, told.account, ended));
    if (member->state == MemberState::ended && is_after_end(*member, place, {})) {
        member->place = place; // which he left before he was let in
        member->receipt = {};
        co_return TRY(co_await put(tx, told.event, told.account, *member));
    }
    if (member->state == MemberState::ended || !same_place(*member, place, member->receipt))
        co_return std::nullopt;
    if (member->state == MemberState::waiting) {
        member->place = end_of_line;
        member->receipt = {};
    } else {
        if (member->until > tx.now)
            TRY(co_await write_revoked(tx, told.event, member->entry, member->until));
        member->state = MemberState::ended;
    }
    co_return TRY(co_await put(tx, told.event, told.account, *member));
}

} // namespace urr::queue
