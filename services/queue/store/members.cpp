#include "services/queue/store/members.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::queue {

namespace {

// No epoch begins while somebody joins the one before, or is given his place in it back.
constexpr Statement find_epoch{"SELECT epoch FROM halls WHERE event = ?1",
                               "SELECT epoch FROM halls WHERE event = ?1 FOR SHARE"};
constexpr Statement bind_receipt{
    "INSERT INTO spent_tokens (event, token, account) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement receipt_owner{
    "SELECT account FROM spent_tokens WHERE event = ?1 AND token = ?2"};
#define MEMBER                                                                                     \
    "SELECT account, epoch, phase, position, arrival, state, token, until_us, receipt, "           \
    "admitted_us, fetched FROM members WHERE event = ?1 AND account = ?2"
constexpr Statement find_one{MEMBER};
constexpr Statement lock_one{MEMBER, MEMBER " FOR UPDATE"};
#undef MEMBER
constexpr Statement all_members{
    "SELECT account, epoch, phase, position, arrival, state, token, until_us, receipt, "
    "admitted_us, fetched FROM members WHERE event = ?1 AND state <> 2"};
constexpr Statement put_waiting{
    "INSERT INTO members (event, account, epoch, phase, position, arrival, state, until_us, "
    "joined_us, receipt, admitted_us, fetched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8, 0, 0) "
    "ON CONFLICT (event, account) DO UPDATE SET epoch = excluded.epoch, phase = excluded.phase, "
    "position = excluded.position, arrival = excluded.arrival, state = 0, token = NULL, "
    "joined_us = excluded.joined_us, receipt = excluded.receipt, fetched = 0 "
    "WHERE members.state = 2"};
constexpr Statement put_active{
    "INSERT INTO members (event, account, epoch, phase, position, arrival, state, token, until_us, "
    "joined_us, admitted_us, fetched) VALUES (?1, ?2, ?3, 0, 0, ?4, 1, ?5, ?6, ?7, ?7, 1) "
    "ON CONFLICT DO NOTHING"};
constexpr Statement set_active{
    "UPDATE members SET state = 1, token = ?3, until_us = ?4, admitted_us = ?5, fetched = 0 "
    "WHERE event = ?1 AND account = ?2 AND state = 0 AND arrival = ?6 "
    "RETURNING epoch, phase, position, receipt"};
constexpr Statement set_fetched{"UPDATE members SET fetched = 1 WHERE event = ?1 AND account = ?2 "
                                "AND state = 1 AND token = ?3"};
// Of a line that was lost and gathers what it forgot.
constexpr Statement find_loss{"SELECT epoch, admits_from_us FROM halls WHERE event = ?1"};
constexpr Statement put_bought{
    "INSERT INTO members (event, account, epoch, phase, position, arrival, state, until_us, "
    "joined_us, admitted_us, fetched) VALUES (?1, ?2, ?3, 0, 0, ?4, 2, 0, ?4, ?4, ?4) "
    "ON CONFLICT (event, account) DO UPDATE SET state = 2, admitted_us = excluded.admitted_us, "
    "fetched = excluded.fetched "
    "WHERE members.state = 0 AND members.arrival <= excluded.admitted_us"};
constexpr Statement set_returned{
    "UPDATE members SET state = 0, token = NULL, until_us = 0 WHERE event = ?1 AND account = ?2 "
    "AND state = 1 AND token = ?3 AND fetched = 0 RETURNING until_us"};
constexpr Statement set_ended{
    "UPDATE members SET state = 2 WHERE event = ?1 AND account = ?2 AND state <> 2"};
constexpr Statement put_revoked{"INSERT INTO revoked_entries (event, token, until_us) "
                                "VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement find_revoked{"SELECT 1 FROM revoked_entries WHERE event = ?1 AND token = ?2"};
constexpr Statement all_revoked{"SELECT event, token, until_us FROM revoked_entries"};
constexpr Statement drop_revoked{"DELETE FROM revoked_entries WHERE until_us <= ?1"};

constexpr std::uint64_t fetched_over = 2;
constexpr std::string_view reasons[] = {"left", "bought", "expired", "cleared"};

// Columns as in find_one.
Member member_of(const Rows& rows, std::size_t i, Instant now) {
    Member m;
    m.place = {std::uint64_t(rows.integer(i, 1)), std::uint32_t(rows.integer(i, 2)),
               std::uint64_t(rows.integer(i, 3)), std::uint64_t(rows.integer(i, 4))};
    m.state = MemberState(rows.integer(i, 5));
    m.entry = Id<void>::from(rows.bytes(i, 6)).bytes;
    m.until = rows.instant(i, 7);
    m.receipt = Id<void>::from(rows.bytes(i, 8)).bytes;
    m.admitted = rows.instant(i, 9);
    read_fetched(std::uint64_t(rows.integer(i, 10)), m);
    m.seen = now;
    return m;
}

Task<Result<bool>> tell(Tx& tx, MessageId id, AccountId account, std::string_view type,
                        const std::string& data) {
    TRY(co_await append_event(tx, id, {topic_queue, account.bytes, type, 1, data, ""}));
    co_return true;
}

} // namespace

void read_fetched(std::uint64_t stored, Member& member) {
    member.fetched = stored != 0;
    member.over_heard = stored == fetched_over;
    member.bought = stored > fetched_over ? Instant{std::int64_t(stored)} : Instant{};
}

std::int64_t fetched_number(const Member& member) {
    if (member.bought != Instant{}) return member.bought.us;
    return member.over_heard ? std::int64_t(fetched_over) : member.fetched ? 1 : 0;
}

std::string_view end_reason_name(EndReason reason) { return reasons[std::size_t(reason)]; }

bool is_after_end(const Member& ended, const Place& place, const IdBytes& receipt) {
    const Place& own = ended.place;
    const bool is_it = receipt != IdBytes{} && own.epoch == place.epoch &&
                       own.phase == place.phase && own.position == place.position;
    const std::int64_t last = std::max(ended.admitted, ended.bought).us;
    return !is_it && std::int64_t(place.arrival) > std::max(std::int64_t(own.arrival), last);
}

Task<Result<std::uint64_t>> read_epoch(Tx& tx, EventId event) {
    const Rows hall = TRY(co_await tx.run(find_epoch, {event}));
    co_return hall.empty() ? 0 : std::uint64_t(hall.integer(0, 0));
}

Task<Result<Joined>> write_join(Tx& tx, Join join) {
    if (TRY(co_await read_epoch(tx, join.event)) > join.place.epoch)
        co_return fail(Code::ROOM_CHANGED);
    bool used_before = false;
    if (join.receipt != IdBytes{}) {
        const Rows bound =
            TRY(co_await tx.run(bind_receipt, {join.event, join.receipt, join.account}));
        used_before = bound.changes() == 0 && !join.shown;
        if (used_before) {
            const Rows owner = TRY(co_await tx.run(receipt_owner, {join.event, join.receipt}));
            if (owner.id<AccountId>(0, 0) != join.account) co_return fail(Code::VWR_TOKEN_SPENT);
        }
    }
    if (const auto before = TRY(co_await lock_member(tx, join.event, join.account))) {
        if (before->state != MemberState::ended) co_return Joined{before->place, before->receipt};
        // One account, one place: who has had his in this epoch comes last, whatever he brings but
        // a later place, which a lost store does not know.
        const bool had_his = before->place.epoch >= join.place.epoch;
        used_before = used_before ||
                      (had_his && !(join.shown && is_after_end(*before, join.place, join.receipt)));
    }
    const Place place = used_before ? join.end_of_line : join.place;
    const IdBytes receipt = used_before ? IdBytes{} : join.receipt;
    const Rows put =
        TRY(co_await tx.run(put_waiting, {join.event, join.account, place.epoch, place.phase,
                                          place.position, place.arrival, tx.now, receipt}));
    if (put.changes() == 1) co_return Joined{place, receipt};
    // Another process let the same account in meanwhile.
    const auto there = TRY(co_await read_member(tx, join.event, join.account));
    if (!there) co_return fail(Code::INTERNAL, "a member that was refused is not there");
    co_return Joined{there->place, there->receipt};
}

Task<Result<std::optional<Member>>> write_retake(Tx& tx, Retake retake) {
    if (retake.until <= tx.now) co_return std::nullopt;
    const Rows revoked = TRY(co_await tx.run(find_revoked, {retake.event, retake.entry}));
    if (!revoked.empty()) co_return fail(Code::ENTRY_TOKEN_REVOKED);
    const Rows put = TRY(co_await tx.run(put_active, {retake.event, retake.account, retake.epoch,
                                                      retake.arrival_max(), retake.entry,
                                                      retake.until, retake.admitted}));
    const auto member = TRY(co_await read_member(tx, retake.event, retake.account));
    if (put.changes() == 1) co_return member;
    if (!member || member->state != MemberState::ended ||
        std::max(member->admitted, member->bought) < retake.admitted)
        co_return std::nullopt;
    TRY(co_await write_revoked(tx, retake.event, retake.entry, retake.until));
    co_return member;
}

Task<Result<std::vector<Admission>>> write_admissions(Tx& tx, GenerationId generation,
                                                      EventId event,
                                                      std::vector<Admission> admitted,
                                                      std::vector<MessageId> messages) {
    std::vector<Admission> done;
    for (std::size_t i = 0; i < admitted.size(); ++i) {
        const Admission& a = admitted[i];
        const Rows row = TRY(co_await tx.run(
            set_active, {event, a.account, a.entry, a.until, a.admitted, a.arrival}));
        if (row.empty()) continue;
        EntryAdmitted told{generation,
                           event,
                           a.account,
                           {a.entry},
                           row.id<ReceiptId>(0, 3),
                           std::uint64_t(row.integer(0, 0)),
                           std::uint32_t(row.integer(0, 1)),
                           std::uint64_t(row.integer(0, 2)),
                           a.arrival,
                           a.admitted,
                           a.until};
        TRY(co_await tell(tx, messages[i], a.account, EntryAdmitted::type, to_json(told)));
        done.push_back(a);
    }
    co_return done;
}

Task<Result<bool>> write_fetched(Tx& tx, EventId event, AccountId account, IdBytes entry) {
    const Rows row = TRY(co_await tx.run(set_fetched, {event, account, entry}));
    co_return row.changes() == 1;
}

Task<Result<bool>> write_return(Tx& tx, GenerationId generation, EventId event, AccountId account,
                                IdBytes entry, MessageId message) {
    const auto member = TRY(co_await lock_member(tx, event, account));
    const Rows row = TRY(co_await tx.run(set_returned, {event, account, entry}));
    if (row.empty() || !member) co_return false;
    TRY(co_await write_revoked(tx, event, entry, member->until));
    const EntryReturned told{generation, event, account, {entry}};
    TRY(co_await tell(tx, message, account, EntryReturned::type, to_json(told)));
    co_return true;
}

Task<Result<Ended>> write_end(Tx& tx, GenerationId generation, EventId event, AccountId account,
                              EndReason reason, MessageId message) {
    Ended out;
    const auto member = TRY(co_await lock_member(tx, event, account));
    if (!member || member->state == MemberState::ended) co_return out;
    TRY(co_await tx.run(set_ended, {event, account}));
    out.ended = true;
    if (member->state == MemberState::active && member->until > tx.now) {
        out.entry = member->entry;
        out.until = member->until;
        TRY(co_await write_revoked(tx, event, member->entry, member->until));
    }
    const Place& place = member->place;
    const EntryEnded told{
        generation,  event,       account,        std::string(end_reason_name(reason)),
        place.epoch, place.phase, place.position, place.arrival};
    TRY(co_await tell(tx, message, account, EntryEnded::type, to_json(told)));
    co_return out;
}

Task<Result<Ended>> write_expired(Tx& tx, GenerationId generation, EventId event, AccountId account,
                                  IdBytes entry, MessageId message) {
    const auto member = TRY(co_await lock_member(tx, event, account));
    if (!member || member->state != MemberState::active || member->entry != entry)
        co_return Ended{};
    co_return TRY(co_await write_end(tx, generation, event, account, EndReason::expired, message));
}

namespace {

// A purchase of which the store has forgotten the admission: that is spent before it is known
// again.
Task<Result<Ended>> buy_before_loss(Tx& tx, GenerationId generation, EventId event,
                                    AccountId account, Instant bought, MessageId message) {
    const Rows hall = TRY(co_await tx.run(find_loss, {event}));
    if (hall.empty()) co_return fail(Code::QUEUE_RECOVERING);
    if (hall.instant(0, 1) <= bought || hall.integer(0, 0) >= bought.us) co_return Ended{};
    const auto member = TRY(co_await read_member(tx, event, account));
    const Rows put =
        TRY(co_await tx.run(put_bought, {event, account, hall.integer(0, 0), bought.us}));
    if (put.changes() == 1 && member) {
        const Place& place = member->place;
        const EntryEnded told{generation,  event,       account,        "bought",
                              place.epoch, place.phase, place.position, place.arrival};
        TRY(co_await tell(tx, message, account, EntryEnded::type, to_json(told)));
    }
    co_return Ended{put.changes() == 1, {}, {}};
}

} // namespace

Task<Result<Ended>> write_purchase(Tx& tx, GenerationId generation, EventId event,
                                   AccountId account, Instant bought, MessageId seen,
                                   MessageId message) {
    if (!TRY(co_await first_time(tx, "queue", seen))) co_return Ended{};
    const auto member = TRY(co_await lock_member(tx, event, account));
    if (!member || member->state == MemberState::waiting)
        co_return TRY(co_await buy_before_loss(tx, generation, event, account, bought, message));
    if (member->state != MemberState::active || member->admitted > bought) co_return Ended{};
    co_return TRY(co_await write_end(tx, generation, event, account, EndReason::bought, message));
}

Task<Result<std::vector<StoredMember>>> read_line(Tx& tx, EventId event) {
    const Rows rows = TRY(co_await tx.run(all_members, {event}));
    std::vector<StoredMember> members;
    for (std::size_t i = 0; i < rows.size(); ++i)
        members.push_back({rows.id<AccountId>(i, 0), member_of(rows, i, tx.now)});
    co_return members;
}

namespace {

Task<Result<std::optional<Member>>> member_by(Tx& tx, const Statement& statement, EventId event,
                                              AccountId account) {
    const Rows rows = TRY(co_await tx.run(statement, {event, account}));
    if (rows.empty()) co_return std::nullopt;
    co_return member_of(rows, 0, tx.now);
}

} // namespace

Task<Result<std::optional<Member>>> read_member(Tx& tx, EventId event, AccountId account) {
    return member_by(tx, find_one, event, account);
}

Task<Result<std::optional<Member>>> lock_member(Tx& tx, EventId event, AccountId account) {
    return member_by(tx, lock_one, event, account);
}

Task<Result<std::vector<RevokedEntry>>> read_revoked(Tx& tx) {
    TRY(co_await tx.run(drop_revoked, {tx.now}));
    const Rows rows = TRY(co_await tx.run(all_revoked));
    std::vector<RevokedEntry> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        all.push_back(
            {rows.id<EventId>(i, 0), Id<void>::from(rows.bytes(i, 1)).bytes, rows.instant(i, 2)});
    co_return all;
}

Task<Result<bool>> write_revoked(Tx& tx, EventId event, IdBytes entry, Instant until) {
    TRY(co_await tx.run(put_revoked, {event, entry, until}));
    co_return true;
}

} // namespace urr::queue
