// Where rooms that several processes share are kept: DynamoDB, or one database. A room is written
// if its version is still the one that was read (`version` - 1); else CONFLICT, and the writer
// reads again. Which process serves the lines is decided by one lease with a fence, also by its
// version.
//
// Reads are consistent. A write whose outcome is unknown is told by the room's version and writer
// when it is read again.
#pragma once
#include <memory>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/async/task.hpp"
#include "libs/core/result.hpp"
#include "services/waiting_room/domain/common_room.hpp"

namespace urr::waiting_room {

// Who serves. A holder that is alive raises `beat`; one that was not for a while is succeeded, with
// the next fence.
struct ServerLease {
    std::uint64_t holder = 0; // 0: nobody
    std::uint64_t fence = 0;
    std::uint64_t beat = 0;
    bool operator==(const ServerLease&) const = default;
};

struct CommonRooms {
    Instant now; // the store's time
    ServerLease server;
    std::vector<CommonRoom> rooms;
};

// A block that ended, kept as long as places of it may matter.
struct EndedBlock {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t used = 0;
    std::uint64_t holder = 0;
};

struct RoomWrite {
    CommonRoom room;
    std::vector<EndedBlock> ended; // of the room's epoch
};

class CommonStore {
public:
    virtual ~CommonStore() = default;
    virtual Task<Result<CommonRooms>> read(Context context) = 0;
    // One outcome for each: CONFLICT, or what is wrong with the store.
    virtual Task<std::vector<Result<>>> write(Context context, std::vector<RoomWrite> writes) = 0;
    // False: the lease is not as `seen` any more.
    virtual Task<Result<bool>> take(Context context, ServerLease seen, ServerLease wanted) = 0;
    // What nobody has beyond `serving`, of blocks that ended, in order.
    virtual Task<Result<std::vector<Line::Void>>>
    voids(Context context, EventId event, std::uint64_t epoch, std::uint64_t serving) = 0;
};

} // namespace urr::waiting_room
