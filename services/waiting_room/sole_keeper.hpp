// The keeper of a store that one process holds: what is in memory is the truth, and a change is
// written in one transaction before it is shown. When a write fails, memory keeps the change and
// writes it again at the next turn; who waited for it is told the error.
#pragma once
#include <unordered_map>

#include "services/waiting_room/keeper.hpp"
#include "services/waiting_room/store/room_store.hpp"

namespace urr::waiting_room {

class SoleKeeper final : public Keeper {
public:
    SoleKeeper(Loop& home, RoomTable& rooms, RoomStore& store, Random& random, const RateRule& rule)
        : Keeper(home, rooms, random, rule), store_(store) {}

    // Takes the store's hold and loads the rooms.
    Task<Result<>> open(Context context) override;
    bool counts_no_shows() const override { return !rule_.adaptive; }

private:
    struct Kept {
        SharedRoom* shared;
        Room room;
        RoomChange change;  // what is not written yet
        bool dirty = false; // the store does not have it
        bool stale = false; // the loops do not see it
        bool lease_is_open = false;
        bool lease_unwritten = false;
    };

    Task<> turn() override;
    Task<> finish() override;
    void note(const EventId& event, std::uint64_t epoch, std::uint64_t position) override;
    void take_reports(Instant now);
    void take_report(Steer& steer, Instant now);
    void step(Kept& kept, Instant now);
    void care_for_lease(Kept& kept, Instant now);
    void end_lease(Kept& kept, Instant now);
    std::vector<RoomChange> changes();
    void written(Instant stored_at, Instant now);
    void not_written(const Error& error);
    void open_lease(Kept& kept, Instant stored_at, Instant now);
    void show(Kept& kept, Instant stored_at, Instant now);
    Kept* find(const EventId& event);
    Kept* find_or_add(const EventId& event);

    RoomStore& store_;
    std::vector<std::unique_ptr<Kept>> rooms_;
    std::unordered_map<EventId, Kept*, IdHash> by_event_;
    std::vector<Steer*> waiting_; // applied, until they are written
    Instant store_time_;          // at the last write
    Instant store_time_at_;       // by the loop's clock
};

} // namespace urr::waiting_room
