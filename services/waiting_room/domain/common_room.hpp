// A room that several processes share: one value, read, changed and written back as a whole if
// nobody changed it meanwhile. Each process leases blocks of its own; which of them are out stands
// in the value, so that whoever serves passes none whose use is not known yet.
//
// A block's holder gives its positions out for one second and then says how many it used. The
// server takes blocks into account in the order of their positions: those ended in turn, one whose
// holder has gone as fully used (its unknown positions are served like no-shows). Pure.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "services/waiting_room/domain/room.hpp"

namespace urr::waiting_room {

struct OutLease {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t holder = 0;          // the process, by its random number
    std::optional<std::uint64_t> used; // once it has ended
    bool operator==(const OutLease&) const = default;
};

struct CommonRoom {
    RoomRecord record;
    std::uint64_t voids = 0;      // positions known to be nobody's, served or not
    std::vector<OutLease> leases; // not served yet, in the order of their positions
    Instant reported{0};          // store time of the last report
    std::uint64_t fence = 0;      // of who served last
    std::uint64_t version = 0;    // one more with each write; 0: never written
    std::uint64_t writer = 0;     // who wrote last
    bool operator==(const CommonRoom&) const = default;

    OutLease* find(std::uint64_t first, std::uint64_t holder);
};

// What a report does. `kept`: nothing that anybody would see.
Steered steer(CommonRoom& room, const Report& report, Instant store_now);

// Positions for the next second of `holder`, or nothing where no places are given.
std::optional<LeaseBlock> begin_lease(CommonRoom& room, std::uint64_t count, std::uint64_t holder);
// False: it is not out any more, or ended already; then there is nothing to write.
bool end_lease(CommonRoom& room, std::uint64_t first, std::uint64_t used, std::uint64_t holder);

// Takes blocks that ended out of the list, adding what nobody has of them to `line`; up to the
// first that is still out. Of the blocks before `gone_before` those of others than `holder` are
// given up: they count as used. True: something changed.
bool settle_leases(CommonRoom& room, Line& line, std::uint64_t gone_before, std::uint64_t holder);
// The last position that may be served: of the holder's own block what it has given out, of
// another's nothing.
std::uint64_t last_servable(const CommonRoom& room, std::uint64_t holder, std::uint64_t given);

} // namespace urr::waiting_room
