// What a waiting room writes down: per room one record, per second with arrivals one lease. Nothing
// per person. A lease is durable before any of its positions is given out, so no position is given
// twice, whatever crashes.
//
// Writing is idempotent: every change carries absolute values, so a change whose outcome is unknown
// is written again. One process holds the rooms of a store (`open` takes the hold); one that lost
// it finds out at its next write, which changes nothing and answers CONFLICT.
#pragma once
#include <memory>
#include <vector>

#include "libs/async/task.hpp"
#include "libs/sql/database.hpp"
#include "services/waiting_room/domain/room.hpp"

namespace urr::waiting_room {

struct StoredRoom {
    RoomRecord record;
    std::vector<Line::Void> voids; // those known, beyond `serving`, in order
};

struct RoomChange {
    struct Lease {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        std::uint64_t voids_before = 0;
        std::uint16_t phase = 0;
    };
    struct Used {
        std::uint64_t first = 0;
        std::uint64_t used = 0;
    };
    RoomRecord record;
    std::vector<Used> ended; // leases of the record's epoch
    std::vector<Lease> begun;
};

struct OpenedStore {
    Instant now; // the store's time
    std::vector<StoredRoom> rooms;
};

class RoomStore {
public:
    virtual ~RoomStore() = default;
    // Takes the hold and reads every room. Once, before anything else.
    virtual Task<Result<OpenedStore>> open(Context context) = 0;
    // All or nothing; answers the store's time, which is that of the leases begun.
    virtual Task<Result<Instant>> save(Context context, std::vector<RoomChange> changes) = 0;
};

std::unique_ptr<RoomStore> make_sql_room_store(Database& database);

// The tables, for `urr migrate`.
extern const char* const room_tables;
extern const char* const room_phases;

} // namespace urr::waiting_room
