#include "services/waiting_room/store/sql_common_store.hpp"

#include "services/waiting_room/store/common_codec.hpp"

namespace urr::waiting_room {

const char* const common_room_tables = R"sql(
CREATE TABLE common_server (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    holder BIGINT NOT NULL,
    fence  BIGINT NOT NULL,
    beat   BIGINT NOT NULL
);
CREATE TABLE common_rooms (
    event_id        BLOB PRIMARY KEY,
    epoch           BIGINT NOT NULL,
    sequence        BIGINT NOT NULL,
    state           TEXT NOT NULL,
    phase           INTEGER NOT NULL,
    phase_first     BIGINT NOT NULL,
    rate_per_minute INTEGER,
    next_position   BIGINT NOT NULL,
    serving         BIGINT NOT NULL,
    voids           BIGINT NOT NULL,
    voids_served    BIGINT NOT NULL,
    leases          TEXT NOT NULL,
    reported        BIGINT NOT NULL,
    fence           BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    writer          BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE common_blocks (
    event_id       BLOB NOT NULL,
    epoch          BIGINT NOT NULL,
    first_position BIGINT NOT NULL,
    count          BIGINT NOT NULL,
    used           BIGINT NOT NULL,
    holder         BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL,
    PRIMARY KEY (event_id, epoch, first_position)
) WITHOUT ROWID;
)sql";

namespace {

constexpr Statement read_server{"SELECT holder, fence, beat FROM common_server WHERE id = 1"};
constexpr Statement create_server{"INSERT INTO common_server (id, holder, fence, beat) "
                                  "VALUES (1, 0, 0, 0) ON CONFLICT (id) DO NOTHING"};
constexpr Statement take_server{"UPDATE common_server SET holder = ?1, fence = ?2, beat = ?3 "
                                "WHERE id = 1 AND holder = ?4 AND fence = ?5 AND beat = ?6"};
constexpr Statement read_rooms{
    "SELECT event_id, epoch, sequence, state, phase, phase_first, rate_per_minute, next_position, "
    "serving, voids, voids_served, leases, reported, fence, version, writer FROM common_rooms"};
constexpr Statement write_room{
    "INSERT INTO common_rooms (event_id, epoch, sequence, state, phase, phase_first, "
    "rate_per_minute, next_position, serving, voids, voids_served, leases, reported, fence, "
    "version, writer) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
    "ON CONFLICT (event_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence, "
    "state = excluded.state, phase = excluded.phase, phase_first = excluded.phase_first, "
    "rate_per_minute = excluded.rate_per_minute, next_position = excluded.next_position, "
    "serving = excluded.serving, voids = excluded.voids, voids_served = excluded.voids_served, "
    "leases = excluded.leases, reported = excluded.reported, fence = excluded.fence, "
    "version = excluded.version, writer = excluded.writer "
    "WHERE common_rooms.version = excluded.version - 1"};
constexpr Statement write_block{
    "INSERT INTO common_blocks (event_id, epoch, first_position, count, used, holder, ended_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
    "ON CONFLICT (event_id, epoch, first_position) DO NOTHING"};
constexpr Statement read_voids{
    "SELECT first_position + used, count - used FROM common_blocks "
    "WHERE event_id = ?1 AND epoch = ?2 AND used < count AND first_position + count > ?3 + 1 "
    "ORDER BY first_position"};

CommonRoom room_of(const Rows& rows, std::size_t row) {
    const auto number = [&](std::size_t column) {
        return std::uint64_t(rows.integer(row, column));
    };
    CommonRoom room;
    RoomRecord& record = room.record;
    record.event = rows.id<EventId>(row, 0);
    record.epoch = number(1);
    record.sequence = number(2);
    record.state = parse_room_state(rows.text(row, 3)).value_or(RoomState::paused);
    record.phase = std::uint16_t(number(4));
    record.phase_first = number(5);
    if (!rows.is_null(row, 6)) record.rate_per_minute = std::uint32_t(number(6));
    record.next = number(7);
    record.serving = number(8);
    room.voids = number(9);
    record.voids_served = number(10);
    room.leases = parse_leases(rows.text(row, 11)).value_or(std::vector<OutLease>());
    room.reported = rows.instant(row, 12);
    room.fence = number(13);
    room.version = number(14);
    room.writer = number(15);
    return room;
}

constexpr auto read_work = [](Tx& tx) -> Task<Result<CommonRooms>> {
    CommonRooms out{tx.now, {}, {}};
    const Rows server = TRY(co_await tx.run(read_server));
    if (!server.empty())
        out.server = {std::uint64_t(server.integer(0, 0)), std::uint64_t(server.integer(0, 1)),
                      std::uint64_t(server.integer(0, 2))};
    const Rows rooms = TRY(co_await tx.run(read_rooms));
    for (std::size_t i = 0; i < rooms.size(); ++i) out.rooms.push_back(room_of(rooms, i));
    co_return out;
};

constexpr auto write_work = [](Tx& tx, const std::vector<RoomWrite>& writes)
    -> Task<Result<std::vector<bool>>> { // was it as it was read?
    std::vector<bool> out;
    for (const RoomWrite& write : writes) {
        const CommonRoom& room = write.room;
        const RoomRecord& r = room.record;
        const std::string leases = leases_text(room.leases);
        const Value rate =
            r.rate_per_minute ? Value(std::int64_t(*r.rate_per_minute)) : Value(nullptr);
        const Rows done = TRY(co_await tx.run(
            write_room, {r.event, r.epoch, r.sequence, room_state_name(r.state), int(r.phase),
                         r.phase_first, rate, r.next, r.serving, room.voids, r.voids_served, leases,
                         room.reported, room.fence, room.version, room.writer}));
        out.push_back(done.changes() == 1);
        if (!out.back()) continue;
        for (const EndedBlock& block : write.ended)
            TRY(co_await tx.run(write_block, {r.event, r.epoch, block.first, block.count,
                                              block.used, block.holder, tx.now}));
    }
    co_return out;
};

constexpr auto take_work = [](Tx& tx, ServerLease seen, ServerLease wanted) -> Task<Result<bool>> {
    TRY(co_await tx.run(create_server));
    const Rows done = TRY(co_await tx.run(take_server, {wanted.holder, wanted.fence, wanted.beat,
                                                        seen.holder, seen.fence, seen.beat}));
    co_return done.changes() == 1;
};

constexpr auto voids_work = [](Tx& tx, EventId event, std::uint64_t epoch,
                               std::uint64_t serving) -> Task<Result<std::vector<Line::Void>>> {
    const Rows rows = TRY(co_await tx.run(read_voids, {event, epoch, serving}));
    std::vector<Line::Void> out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t first = std::uint64_t(rows.integer(i, 0));
        const std::uint64_t end = first + std::uint64_t(rows.integer(i, 1));
        const std::uint64_t from = std::max(first, serving + 1);
        if (from < end) out.push_back({from, end - from});
    }
    co_return out;
};

class SqlCommonStore final : public CommonStore {
public:
    explicit SqlCommonStore(Database& database) : database_(database) {}

    Task<Result<CommonRooms>> read(Context context) override {
        co_return co_await database_.transact(context, read_work);
    }
    Task<std::vector<Result<>>> write(Context context, std::vector<RoomWrite> writes) override {
        const std::size_t count = writes.size();
        const auto done = co_await database_.transact(context, write_work, std::move(writes));
        std::vector<Result<>> out;
        for (std::size_t i = 0; i < count; ++i) {
            if (!done)
                out.push_back(fail(done.error().clone()));
            else if ((*done)[i])
                out.emplace_back();
            else
                out.push_back(fail(Code::CONFLICT));
        }
        co_return out;
    }
    Task<Result<bool>> take(Context context, ServerLease seen, ServerLease wanted) override {
        co_return co_await database_.transact(context, take_work, seen, wanted);
    }
    Task<Result<std::vector<Line::Void>>> voids(Context context, EventId event, std::uint64_t epoch,
                                                std::uint64_t serving) override {
        co_return co_await database_.transact(context, voids_work, event, epoch, serving);
    }

private:
    Database& database_;
};

} // namespace

std::unique_ptr<CommonStore> make_sql_common_store(Database& database) {
    return std::make_unique<SqlCommonStore>(database);
}

} // namespace urr::waiting_room
