#include "services/waiting_room/store/room_store.hpp"

namespace urr::waiting_room {

const char* const room_tables = R"sql(
CREATE TABLE waiting_holder (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    holder INTEGER NOT NULL
);
CREATE TABLE waiting_rooms (
    event_id        BLOB PRIMARY KEY,
    epoch           INTEGER NOT NULL,
    sequence        INTEGER NOT NULL,
    state           TEXT NOT NULL,
    phase           INTEGER NOT NULL,
    rate_per_minute INTEGER,
    next_position   INTEGER NOT NULL,
    serving         INTEGER NOT NULL,
    voids_served    INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE waiting_leases (
    event_id       BLOB NOT NULL,
    epoch          INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    count          INTEGER NOT NULL,
    phase          INTEGER NOT NULL,
    second         INTEGER NOT NULL,
    voids_before   INTEGER NOT NULL,
    used           INTEGER,
    PRIMARY KEY (event_id, epoch, first_position)
) WITHOUT ROWID;
)sql";

const char* const room_phases = R"sql(
ALTER TABLE waiting_rooms ADD COLUMN phase_first INTEGER NOT NULL DEFAULT 1;
)sql";

namespace {

constexpr Statement take_hold{"INSERT INTO waiting_holder (id, holder) VALUES (1, 1) "
                              "ON CONFLICT (id) DO UPDATE SET holder = waiting_holder.holder + 1 "
                              "RETURNING holder"};
constexpr Statement check_hold{"SELECT holder FROM waiting_holder WHERE id = 1",
                               "SELECT holder FROM waiting_holder WHERE id = 1 FOR SHARE"};
constexpr Statement read_rooms{"SELECT event_id, epoch, sequence, state, phase, rate_per_minute, "
                               "next_position, serving, voids_served, phase_first FROM "
                               "waiting_rooms"};
constexpr Statement read_voids{
    "SELECT first_position + used, count - used FROM waiting_leases "
    "WHERE event_id = ?1 AND epoch = ?2 AND used < count AND first_position + used > ?3 "
    "ORDER BY first_position"};
// A position is never given twice: the high-water mark of an epoch does not fall.
constexpr Statement write_room{
    "INSERT INTO waiting_rooms (event_id, epoch, sequence, state, phase, rate_per_minute, "
    "next_position, serving, voids_served, changed_at, phase_first) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
    "ON CONFLICT (event_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence, "
    "state = excluded.state, phase = excluded.phase, rate_per_minute = excluded.rate_per_minute, "
    "next_position = excluded.next_position, serving = excluded.serving, "
    "voids_served = excluded.voids_served, changed_at = excluded.changed_at, "
    "phase_first = excluded.phase_first "
    "WHERE excluded.epoch > waiting_rooms.epoch OR (excluded.epoch = waiting_rooms.epoch "
    "AND excluded.next_position >= waiting_rooms.next_position)"};
constexpr Statement begin_lease{
    "INSERT INTO waiting_leases (event_id, epoch, first_position, count, phase, second, "
    "voids_before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
    "ON CONFLICT (event_id, epoch, first_position) DO UPDATE SET second = excluded.second"};
constexpr Statement end_lease{"UPDATE waiting_leases SET used = ?4 "
                              "WHERE event_id = ?1 AND epoch = ?2 AND first_position = ?3"};

Value rate_value(const RoomRecord& record) {
    return record.rate_per_minute ? Value(std::int64_t(*record.rate_per_minute)) : Value();
}

RoomRecord record_of(const Rows& rows, std::size_t row) {
    RoomRecord record;
    record.event = rows.id<EventId>(row, 0);
    record.epoch = std::uint64_t(rows.integer(row, 1));
    record.sequence = std::uint64_t(rows.integer(row, 2));
    record.state = parse_room_state(rows.text(row, 3)).value_or(RoomState::paused);
    record.phase = std::uint16_t(rows.integer(row, 4));
    if (!rows.is_null(row, 5)) record.rate_per_minute = std::uint32_t(rows.integer(row, 5));
    record.next = std::uint64_t(rows.integer(row, 6));
    record.serving = std::uint64_t(rows.integer(row, 7));
    record.voids_served = std::uint64_t(rows.integer(row, 8));
    record.phase_first = std::uint64_t(rows.integer(row, 9));
    return record;
}

struct Opened {
    std::int64_t holder = 0;
    OpenedStore store;
};

constexpr auto open_work = [](Tx& tx) -> Task<Result<Opened>> {
    Opened opened;
    const Rows hold = TRY(co_await tx.run(take_hold));
    opened.holder = hold.integer(0, 0);
    opened.store.now = tx.now;
    const Rows rooms = TRY(co_await tx.run(read_rooms));
    for (std::size_t i = 0; i < rooms.size(); ++i) {
        StoredRoom room{record_of(rooms, i), {}};
        const RoomRecord& record = room.record;
        const Rows voids =
            TRY(co_await tx.run(read_voids, {record.event, record.epoch, record.serving}));
        for (std::size_t v = 0; v < voids.size(); ++v)
            room.voids.push_back(
                {std::uint64_t(voids.integer(v, 0)), std::uint64_t(voids.integer(v, 1))});
        opened.store.rooms.push_back(std::move(room));
    }
    co_return opened;
};

constexpr auto save_work = [](Tx& tx, std::int64_t holder,
                              const std::vector<RoomChange>& changes) -> Task<Result<Instant>> {
    const Rows hold = TRY(co_await tx.run(check_hold));
    if (hold.empty() || hold.integer(0, 0) != holder)
        co_return fail(Code::CONFLICT, "another process holds the waiting rooms now");
    for (const RoomChange& change : changes) {
        const RoomRecord& r = change.record;
        const Rows written = TRY(co_await tx.run(
            write_room, {r.event, r.epoch, r.sequence, room_state_name(r.state), int(r.phase),
                         rate_value(r), r.next, r.serving, r.voids_served, tx.now, r.phase_first}));
        if (written.changes() != 1)
            co_return fail(Code::CONFLICT, "the store is ahead of this process");
        for (const RoomChange::Lease& lease : change.begun)
            TRY(co_await tx.run(begin_lease,
                                {r.event, r.epoch, lease.first, lease.count, int(lease.phase),
                                 tx.now.us / 1'000'000, lease.voids_before}));
        for (const RoomChange::Used& used : change.ended)
            TRY(co_await tx.run(end_lease, {r.event, r.epoch, used.first, used.used}));
    }
    co_return tx.now;
};

class SqlRoomStore final : public RoomStore {
public:
    explicit SqlRoomStore(Database& database) : database_(database) {}

    Task<Result<OpenedStore>> open(Context context) override {
        Opened opened = TRY(co_await database_.transact(context, open_work));
        holder_ = opened.holder;
        co_return std::move(opened.store);
    }
    Task<Result<Instant>> save(Context context, std::vector<RoomChange> changes) override {
        co_return co_await database_.transact(context, save_work, holder_, std::move(changes));
    }

private:
    Database& database_;
    std::int64_t holder_ = 0;
};

} // namespace

std::unique_ptr<RoomStore> make_sql_room_store(Database& database) {
    return std::make_unique<SqlRoomStore>(database);
}

} // namespace urr::waiting_room
