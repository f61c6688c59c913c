#include "services/waiting_room/domain/common_room.hpp"

namespace urr::waiting_room {

OutLease* CommonRoom::find(std::uint64_t first, std::uint64_t holder) {
    const auto found = std::ranges::find_if(leases, [&](const OutLease& lease) {
        return lease.first == first && lease.holder == holder;
    });
    return found == leases.end() ? nullptr : &*found;
}

// The rules are Room's; what differs is whose blocks are out. A new phase begins behind all of
// them, so that they may end by themselves; a new epoch, or a line whose store was lost, forgets
// them.
Steered steer(CommonRoom& room, const Report& report, Instant store_now) {
    Room rules(room.record, RateRule{});
    const bool lost = rules.newer(report) && rules.lost(report);
    const Steered done = rules.steer(report, store_now);
    if (done == Steered::stale || done == Steered::repeated) return done;
    room.record = rules.record();
    room.reported = store_now;
    if (done == Steered::reset || lost) {
        room.leases.clear();
        room.voids = room.record.voids_served;
    }
    return done;
}

std::optional<LeaseBlock> begin_lease(CommonRoom& room, std::uint64_t count, std::uint64_t holder) {
    RoomRecord& record = room.record;
    if (!gives_places(record.state)) return std::nullopt;
    const LeaseBlock block{record.next, count, room.voids, record.phase, {}};
    room.leases.push_back({block.first, count, holder, std::nullopt});
    record.next += count;
    return block;
}

bool end_lease(CommonRoom& room, std::uint64_t first, std::uint64_t used, std::uint64_t holder) {
    OutLease* lease = room.find(first, holder);
    if (!lease || lease->used) return false;
    // What is served already is nobody's to take back.
    const std::uint64_t served = room.record.serving >= first ? room.record.serving - first + 1 : 0;
    lease->used = std::min(lease->count, std::max(used, served));
    room.voids += lease->count - *lease->used;
    return true;
}

bool settle_leases(CommonRoom& room, Line& line, std::uint64_t gone_before, std::uint64_t holder) {
    std::size_t settled = 0;
    line.extend(room.record.next);
    for (const OutLease& lease : room.leases) {
        const bool gone = lease.first < gone_before && lease.holder != holder;
        if (!lease.used && !gone) break;
        if (lease.used && *lease.used < lease.count)
            line.add_void({lease.first + *lease.used, lease.count - *lease.used});
        ++settled;
    }
    room.leases.erase(room.leases.begin(), room.leases.begin() + std::ptrdiff_t(settled));
    return settled > 0;
}

std::uint64_t last_servable(const CommonRoom& room, std::uint64_t holder, std::uint64_t given) {
    if (room.leases.empty()) return room.record.next - 1;
    const OutLease& first = room.leases.front();
    return first.holder == holder ? first.first + given - 1 : first.first - 1;
}

} // namespace urr::waiting_room
