#include "services/queue/store/halls.hpp"

#include "libs/sql/outbox.hpp"
#include "services/queue/store/told_levers.hpp"

namespace urr::queue {

namespace {

constexpr Statement find_generation{"SELECT generation, log_read FROM generation WHERE id = 1"};
constexpr Statement put_generation{
    "INSERT INTO generation (id, generation, log_read) VALUES (1, ?1, 0) ON CONFLICT DO NOTHING"};
constexpr Statement set_log_read{"UPDATE generation SET log_read = 1 WHERE id = 1"};
#define HALL                                                                                       \
    "SELECT epoch, admits_from_us, threshold, per_second, paused, room, message, seen_phase, "     \
    "seen_next, seen_serving, seen_voids, threshold_pull, per_second_pull, paused_pull, "          \
    "room_pull, message_pull, awaits, levers_told_us FROM halls WHERE event = ?1"
constexpr Statement find_hall{HALL};
constexpr Statement lock_hall{HALL, HALL " FOR UPDATE"};
#undef HALL
constexpr Statement put_hall{
    "INSERT INTO halls (event, epoch, admits_from_us, threshold, per_second, paused, room, "
    "message, seen_phase, seen_next, seen_serving, seen_voids, threshold_pull, per_second_pull, "
    "paused_pull, room_pull, message_pull, awaits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
    "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) ON CONFLICT DO NOTHING"};
constexpr Statement set_seen{"UPDATE halls SET seen_phase = ?2, seen_next = ?3, seen_serving = ?4, "
                             "seen_voids = ?5 WHERE event = ?1"};
constexpr Statement set_levers{
    "UPDATE halls SET threshold = ?2, per_second = ?3, paused = ?4, room = ?5, message = ?6, "
    "threshold_pull = ?7, per_second_pull = ?8, paused_pull = ?9, room_pull = ?10, "
    "message_pull = ?11, levers_told_us = ?12 WHERE event = ?1"};
constexpr Statement set_told{"UPDATE halls SET levers_told_us = ?2 WHERE event = ?1"};
constexpr Statement set_awaited{"UPDATE halls SET awaits = NULL WHERE event = ?1 AND awaits = ?2"};
constexpr Statement set_epoch{
    "UPDATE halls SET epoch = ?2, seen_phase = 0, seen_next = 0, seen_serving = 0, "
    "seen_voids = 0 WHERE event = ?1 AND epoch < ?2"};
constexpr Statement active_members{
    "SELECT token, until_us, account, epoch, phase, position, arrival FROM members "
    "WHERE event = ?1 AND state = 1 AND until_us > ?2 AND epoch < ?3"};
constexpr Statement end_all{
    "UPDATE members SET state = 2 WHERE event = ?1 AND state <> 2 AND epoch < ?2"};
constexpr Statement put_act{"INSERT INTO admin_acts (event, at_us, id, account, act) "
                            "VALUES (?1, ?2, ?3, ?4, ?5)"};
constexpr Statement last_acts{"SELECT at_us, account, act FROM admin_acts WHERE event = ?1 "
                              "ORDER BY at_us DESC, id DESC LIMIT ?2"};

HallRecord record_of(const Rows& rows) {
    HallRecord r;
    r.epoch = std::uint64_t(rows.integer(0, 0));
    r.admits_from = rows.instant(0, 1);
    r.levers = {rows.integer(0, 2),           rows.integer(0, 3),
                rows.boolean(0, 4),           RoomLever(rows.integer(0, 5)),
                std::string(rows.text(0, 6)), {}};
    r.seen = {r.epoch,
              std::uint32_t(rows.integer(0, 7)),
              std::uint64_t(rows.integer(0, 8)),
              std::uint64_t(rows.integer(0, 9)),
              std::uint64_t(rows.integer(0, 10)),
              0};
    const auto number = [&](std::size_t at) { return std::uint64_t(rows.integer(0, at)); };
    r.levers.pulls = {number(11), number(12), number(13), number(14), number(15)};
    r.awaits = rows.id<MessageId>(0, 16);
    r.levers_told = rows.instant(0, 17);
    return r;
}

std::optional<HallRecord> record_in(const Rows& rows) {
    if (rows.empty()) return std::nullopt;
    return record_of(rows);
}

Task<Result<void>> tell(Tx& tx, MessageId id, IdBytes key, std::string_view type,
                        std::string data) {
    TRY(co_await append_event(tx, id, {topic_queue, key, type, 1, data, ""}));
    co_return Result<void>{};
}

Task<Result<void>> put_levers(Tx& tx, EventId event, Levers l, Instant told) {
    TRY(co_await tx.run(set_levers, {event, l.threshold, l.per_second, l.paused, int(l.room),
                                     l.message, l.pulls.threshold, l.pulls.per_second,
                                     l.pulls.paused, l.pulls.room, l.pulls.message, told}));
    co_return Result<void>{};
}

// Members of earlier epochs end; the epoch becomes this one.
Task<Result<Cleared>> end_epoch(Tx& tx, GenerationId generation, EventId event,
                                std::uint64_t epoch) {
    Cleared out;
    const Rows active = TRY(co_await tx.run(active_members, {event, tx.now, epoch}));
    for (std::size_t i = 0; i < active.size(); ++i) {
        const IdBytes entry = Id<void>::from(active.bytes(i, 0)).bytes;
        const auto number = [&](std::size_t at) { return std::uint64_t(active.integer(i, at)); };
        out.revoked.push_back({event, entry, active.instant(i, 1)});
        TRY(co_await write_revoked(tx, event, entry, active.instant(i, 1)));
        const auto account = active.id<AccountId>(i, 2);
        const EntryEnded told{generation, event,     account,
                              "cleared",  number(3), std::uint32_t(number(4)),
                              number(5),  number(6)};
        TRY(co_await tell(tx, {entry}, account.bytes, EntryEnded::type, to_json(told)));
    }
    TRY(co_await tx.run(end_all, {event, epoch}));
    out.epoch = TRY(co_await raise_epoch(tx, event, epoch));
    co_return out;
}

} // namespace

Task<Result<Generation>> open_generation(Tx& tx, GenerationId fresh, MessageId message) {
    Generation out;
    Rows rows = TRY(co_await tx.run(find_generation));
    if (rows.empty() && TRY(co_await tx.run(put_generation, {fresh})).changes() == 0)
        rows = TRY(co_await tx.run(find_generation)); // another process was first
    if (rows.empty())
        TRY(co_await tell(tx, message, fresh.bytes, GenerationBegun::type,
                          to_json(GenerationBegun{fresh})));
    out.id = rows.empty() ? fresh : rows.id<GenerationId>(0, 0);
    out.log_read = !rows.empty() && rows.boolean(0, 1);
    out.revoked = TRY(co_await read_revoked(tx));
    out.now = tx.now;
    co_return out;
}

Task<Result<bool>> write_log_read(Tx& tx) {
    TRY(co_await tx.run(set_log_read));
    co_return true;
}

Task<Result<std::optional<HallRecord>>> read_hall(Tx& tx, EventId event) {
    co_return record_in(TRY(co_await tx.run(find_hall, {event})));
}

Task<Result<HallRecord>> write_hall(Tx& tx, EventId event, HallRecord r) {
    const PullNumbers& pulls = r.levers.pulls;
    const Rows put = TRY(co_await tx.run(
        put_hall, {event, r.epoch, r.admits_from, r.levers.threshold, r.levers.per_second,
                   r.levers.paused, int(r.levers.room), r.levers.message, r.seen.phase, r.seen.next,
                   r.seen.serving, r.seen.voids_served, pulls.threshold, pulls.per_second,
                   pulls.paused, pulls.room, pulls.message, r.awaits}));
    if (put.changes() == 1 && !r.awaits.is_zero()) {
        const Rows generation = TRY(co_await tx.run(find_generation));
        if (generation.empty()) co_return fail(Code::INTERNAL, "a store that was not opened");
        const HallBegun told{generation.id<GenerationId>(0, 0), event};
        TRY(co_await tell(tx, r.awaits, event.bytes, HallBegun::type, to_json(told)));
    }
    co_return TRY(co_await read_hall(tx, event)).value_or(r);
}

Task<Result<bool>> write_seen(Tx& tx, EventId event, RoomSeen seen) {
    TRY(co_await tx.run(set_seen, {event, seen.phase, seen.next, seen.serving, seen.voids_served}));
    co_return true;
}

Task<Result<std::uint64_t>> raise_epoch(Tx& tx, EventId event, std::uint64_t epoch) {
    TRY(co_await tx.run(set_epoch, {event, epoch}));
    const auto hall = TRY(co_await read_hall(tx, event));
    co_return hall ? hall->epoch : epoch;
}

Task<Result<Levers>> write_levers(Tx& tx, Act act) {
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {act.event})));
    if (!hall) co_return fail(Code::NOT_FOUND);
    const std::uint64_t number = std::max(std::uint64_t(tx.now.us), hall->levers.pulls.last() + 1);
    const Levers levers = pulled(hall->levers, act.pull, number);
    TRY(co_await put_levers(tx, act.event, levers, tx.now));
    TRY(co_await tx.run(put_act, {act.event, tx.now, act.id, act.by, act.text}));
    const auto told = told_levers(levers, act.generation, act.event, act.by, hall->epoch);
    TRY(co_await tell(tx, act.id, act.event.bytes, LeversPulled::type, to_json(told)));
    co_return levers;
}

Task<Result<Levers>> write_newest_levers(Tx& tx, EventId event, Levers others) {
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {event})));
    if (!hall) co_return fail(Code::QUEUE_RECOVERING);
    const Levers levers = newest(hall->levers, others);
    if (levers != hall->levers) TRY(co_await put_levers(tx, event, levers, Instant{}));
    co_return levers;
}

Task<Result<bool>> tell_levers(Tx& tx, GenerationId generation, EventId event, MessageId message) {
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {event})));
    if (!hall) co_return fail(Code::NOT_FOUND);
    TRY(co_await tx.run(set_told, {event, tx.now}));
    const auto told = told_levers(hall->levers, generation, event, AccountId{}, hall->epoch);
    TRY(co_await tell(tx, message, event.bytes, LeversPulled::type, to_json(told)));
    co_return true;
}

Task<Result<bool>> write_awaited(Tx& tx, EventId event, MessageId message) {
    co_return TRY(co_await tx.run(set_awaited, {event, message})).changes() == 1;
}

Task<Result<Cleared>> write_clear(Tx& tx, Act act, std::uint64_t epoch) {
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {act.event})));
    if (!hall) co_return fail(Code::NOT_FOUND);
    Cleared out =
        TRY(co_await end_epoch(tx, act.generation, act.event, std::max(epoch, hall->epoch + 1)));
    TRY(co_await tx.run(put_act, {act.event, tx.now, act.id, act.by, act.text}));
    const auto told = told_levers(hall->levers, act.generation, act.event, act.by, out.epoch);
    TRY(co_await tell(tx, act.id, act.event.bytes, LeversPulled::type, to_json(told)));
    co_return out;
}

Task<Result<Cleared>> write_clear_again(Tx& tx, GenerationId generation, EventId event,
                                        std::uint64_t epoch) {
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {event})));
    if (!hall) co_return fail(Code::QUEUE_RECOVERING);
    if (hall->epoch >= epoch) co_return Cleared{hall->epoch, {}};
    co_return TRY(co_await end_epoch(tx, generation, event, epoch));
}

Task<Result<std::vector<DoneAct>>> read_acts(Tx& tx, EventId event, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(last_acts, {event, most}));
    std::vector<DoneAct> acts;
    for (std::size_t i = 0; i < rows.size(); ++i)
        acts.push_back(
            {rows.instant(i, 0), rows.id<AccountId>(i, 1), std::string(rows.text(i, 2))});
    co_return acts;
}

} // namespace urr::queue
