#include "services/queue/store/halls.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::queue {

namespace {

constexpr Statement find_generation{"SELECT generation, log_read FROM generation WHERE id = 1"};
constexpr Statement put_generation{
    "INSERT INTO generation (id, generation, log_read) VALUES (1, ?1, 0) ON CONFLICT DO NOTHING"};
constexpr Statement set_log_read{"UPDATE generation SET log_read = 1 WHERE id = 1"};
#define HALL                                                                                       \
    "SELECT epoch, admits_from_us, threshold, per_second, paused, room, message, seen_phase, "     \
    "seen_next, seen_serving, seen_voids FROM halls WHERE event = ?1"
constexpr Statement find_hall{HALL};
constexpr Statement lock_hall{HALL, HALL " FOR UPDATE"};
#undef HALL
constexpr Statement put_hall{
    "INSERT INTO halls (event, epoch, admits_from_us, threshold, per_second, paused, room, "
    "message, seen_phase, seen_next, seen_serving, seen_voids) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING"};
constexpr Statement set_seen{"UPDATE halls SET seen_phase = ?2, seen_next = ?3, seen_serving = ?4, "
                             "seen_voids = ?5 WHERE event = ?1"};
constexpr Statement set_levers{"UPDATE halls SET threshold = ?2, per_second = ?3, paused = ?4, "
                               "room = ?5, message = ?6 WHERE event = ?1"};
constexpr Statement set_epoch{
    "UPDATE halls SET epoch = ?2, seen_phase = 0, seen_next = 0, seen_serving = 0, "
    "seen_voids = 0 WHERE event = ?1 AND epoch < ?2"};
constexpr Statement active_entries{"SELECT token, until_us FROM members "
                                   "WHERE event = ?1 AND state = 1 AND until_us > ?2"};
constexpr Statement end_all{"UPDATE members SET state = 2 WHERE event = ?1 AND state <> 2"};
constexpr Statement put_act{"INSERT INTO admin_acts (event, at_us, id, account, act) "
                            "VALUES (?1, ?2, ?3, ?4, ?5)"};
constexpr Statement last_acts{"SELECT at_us, account, act FROM admin_acts WHERE event = ?1 "
                              "ORDER BY at_us DESC, id DESC LIMIT ?2"};

HallRecord record_of(const Rows& rows) {
    HallRecord r;
    r.epoch = std::uint64_t(rows.integer(0, 0));
    r.admits_from = rows.instant(0, 1);
    r.levers = {rows.integer(0, 2), rows.integer(0, 3), rows.boolean(0, 4),
                RoomLever(rows.integer(0, 5)), std::string(rows.text(0, 6))};
    r.seen = {r.epoch,
              std::uint32_t(rows.integer(0, 7)),
              std::uint64_t(rows.integer(0, 8)),
              std::uint64_t(rows.integer(0, 9)),
              std::uint64_t(rows.integer(0, 10)),
              0};
    return r;
}

std::optional<HallRecord> record_in(const Rows& rows) {
    if (rows.empty()) return std::nullopt;
    return record_of(rows);
}

} // namespace

Task<Result<Generation>> open_generation(Tx& tx, GenerationId fresh, MessageId message) {
    Generation out;
    Rows rows = TRY(co_await tx.run(find_generation));
    if (rows.empty() && TRY(co_await tx.run(put_generation, {fresh})).changes() == 0)
        rows = TRY(co_await tx.run(find_generation)); // another process was first
    if (rows.empty()) {
        const std::string data = to_json(GenerationBegun{fresh});
        TRY(co_await append_event(tx, message,
                                  {topic_queue, fresh.bytes, GenerationBegun::type, 1, data, ""}));
    }
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
    TRY(co_await tx.run(put_hall,
                        {event, r.epoch, r.admits_from, r.levers.threshold, r.levers.per_second,
                         r.levers.paused, int(r.levers.room), r.levers.message, r.seen.phase,
                         r.seen.next, r.seen.serving, r.seen.voids_served}));
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
    const Levers levers = pulled(hall->levers, act.pull);
    TRY(co_await tx.run(set_levers, {act.event, levers.threshold, levers.per_second, levers.paused,
                                     int(levers.room), levers.message}));
    TRY(co_await tx.run(put_act, {act.event, tx.now, act.id, act.by, act.text}));
    co_return levers;
}

Task<Result<Cleared>> write_clear(Tx& tx, Act act, std::uint64_t epoch) {
    Cleared out;
    const auto hall = record_in(TRY(co_await tx.run(lock_hall, {act.event})));
    if (!hall) co_return fail(Code::NOT_FOUND);
    const Rows active = TRY(co_await tx.run(active_entries, {act.event, tx.now}));
    for (std::size_t i = 0; i < active.size(); ++i) {
        const IdBytes entry = Id<void>::from(active.bytes(i, 0)).bytes;
        out.revoked.push_back({act.event, entry, active.instant(i, 1)});
        TRY(co_await write_revoked(tx, act.event, entry, active.instant(i, 1)));
    }
    TRY(co_await tx.run(end_all, {act.event}));
    out.epoch = TRY(co_await raise_epoch(tx, act.event, std::max(epoch, hall->epoch + 1)));
    TRY(co_await tx.run(put_act, {act.event, tx.now, act.id, act.by, act.text}));
    co_return out;
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
