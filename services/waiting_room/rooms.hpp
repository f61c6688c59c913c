// The rooms as the loops see them: found by event without a lock, read without a lock. Rooms are
// added by the keeper and stay until the process ends.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "services/waiting_room/bell.hpp"
#include "services/waiting_room/dispenser.hpp"
#include "services/waiting_room/domain/room.hpp"

namespace urr::waiting_room {

// What the loops know of a room: never ahead of the store.
struct RoomView {
    std::uint64_t epoch = 0;
    std::uint64_t next = 1; // no place beyond it was given
    std::uint64_t serving = 0;
    std::uint64_t voids = 0;
    std::uint64_t voids_served = 0;
    Instant updated;
    std::uint32_t rate_per_minute = 0; // in force
    std::uint16_t phase = 0;
    RoomState state = RoomState::off;
    bool leased = false; // a lease is open; its positions end before `next`
    std::uint64_t lease_first = 0;
    std::uint64_t phase_first = 1;

    // People a minute by which the line moves now.
    std::uint32_t moving() const { return state == RoomState::open ? rate_per_minute : 0; }
    // The position by which a receipt is served. One of an earlier phase comes before all of this
    // one, also where its number was given again because the store was lost.
    std::uint64_t turn_of(const Receipt& receipt) const {
        return receipt.phase < phase ? std::min(receipt.position, phase_first - 1)
                                     : receipt.position;
    }
};

struct SharedRoom {
    SharedRoom(EventId of, std::uint32_t number, std::span<Loop* const> loops)
        : event(of), index(number), bell(loops) {}

    const EventId event;
    const std::uint32_t index;
    Dispenser dispenser;
    Published<RoomView> view;
    std::atomic<bool> wanted{false};        // somebody waits for a lease
    std::atomic<std::uint32_t> failures{0}; // leases that could not be written
    Bell bell;                              // rings when a lease was opened, or could not be
};

class RoomTable {
public:
    static constexpr std::size_t rooms_max = 4096;

    explicit RoomTable(std::vector<Loop*> loops)
        : loops_(std::move(loops)), slots_(rooms_max * 2) {}

    // Not before its first state is stored and shown: until then it would seem to be off, and
    // whoever came would be let through without a place.
    SharedRoom* find(const EventId& event) const {
        for (std::size_t at = event.hash();; ++at) {
            SharedRoom* room = slots_[at % slots_.size()].load(std::memory_order_acquire);
            if (!room) return nullptr;
            if (room->event == event) return room->view.version() != 0 ? room : nullptr;
        }
    }
    // The keeper alone; the event is not there yet. nullptr: full.
    SharedRoom* add(const EventId& event) {
        if (rooms_.size() == rooms_max) return nullptr;
        rooms_.push_back(std::make_unique<SharedRoom>(event, std::uint32_t(rooms_.size()), loops_));
        std::size_t at = event.hash();
        while (slots_[at % slots_.size()].load(std::memory_order_relaxed)) ++at;
        slots_[at % slots_.size()].store(rooms_.back().get(), std::memory_order_release);
        return rooms_.back().get();
    }

private:
    std::vector<Loop*> loops_;
    std::vector<std::atomic<SharedRoom*>> slots_; // half full at most: every search ends
    std::vector<std::unique_ptr<SharedRoom>> rooms_;
};

} // namespace urr::waiting_room
