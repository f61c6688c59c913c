// The keeper: the one task that owns the rooms. It runs on its home loop and works in turns: take
// the reports that came, serve the next people where a second has passed, end and begin leases,
// write all of that in one transaction, and only then show it to the loops. One turn at a time, so
// nothing interleaves; what it shows is never ahead of the store.
//
//     TRY(co_await keeper.open(context));        // takes the store's hold, loads the rooms
//     nursery.spawn(keeper.run());               // on the home loop
//     ...
//     keeper.stop(); co_await nursery.drained(context);
//
// From any loop: `steer`, `came`, `want_lease`. When a write fails, memory keeps the change and
// writes it again at the next turn; who waited for it is told the error.
#pragma once
#include <unordered_map>

#include "libs/async/owned.hpp"
#include "libs/core/random.hpp"
#include "services/waiting_room/metrics.hpp"
#include "services/waiting_room/rooms.hpp"
#include "services/waiting_room/store/room_store.hpp"

namespace urr::waiting_room {

class Keeper {
public:
    Keeper(Loop& home, RoomTable& rooms, RoomStore& store, Random& random, const RateRule& rule);
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    Task<Result<>> open(Context context);
    Task<> run();
    // Home loop. The keeper ends its leases, so that what is left of them is known to be void,
    // writes that down and returns from `run`. Call it when no more requests come.
    void stop();

    // A report's way to the keeper and back; the caller's frame is the message, so it must not be
    // destroyed meanwhile. REPORT_STALE, or what the store said; the room as it is now.
    struct [[nodiscard]] Steer : Node {
        Keeper& keeper;
        EventId event;
        Report report;
        Loop* caller_loop = nullptr;
        std::coroutine_handle<> caller;
        Result<SharedRoom*> answer = fail(Code::UNAVAILABLE);

        Steer(Keeper& of, EventId id, const Report& given) : keeper(of), event(id), report(given) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting);
        Result<SharedRoom*> await_resume() { return std::move(answer); }
        void settle(Result<SharedRoom*> with);
    };
    Steer steer(EventId event, const Report& report) { return Steer(*this, event, report); }

    // Any loop: somebody waits for a place; then wait for the room's bell.
    void want_lease(SharedRoom& room);
    // Any loop: the holder of a served position fetched the token, so he is no no-show.
    auto came(const EventId& event, std::uint64_t epoch, std::uint64_t position) {
        return self_.with(&Keeper::note, event, epoch, position);
    }
    bool counts_no_shows() const { return !rule_.adaptive; }

    const KeeperCounters& counters() const { return counters_; }
    // Could the last turn be written? Any thread.
    bool healthy() const { return healthy_.load(std::memory_order_relaxed); }

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
    struct Wake : Node {
        Keeper* keeper = nullptr;
        std::atomic<bool> ringing{false};
    };

    static void note(Keeper*& keeper, EventId& event, std::uint64_t& epoch,
                     std::uint64_t& position);
    void wake();
    Task<> turn();
    Task<> finish();
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

    Loop& home_;
    Owned<Keeper*> self_;
    RoomTable& table_;
    RoomStore& store_;
    Random& random_;
    RateRule rule_;
    std::vector<std::unique_ptr<Kept>> rooms_;
    std::unordered_map<EventId, Kept*, IdHash> by_event_;
    std::vector<Steer*> arrived_; // reports, in order of arrival
    std::vector<Steer*> waiting_; // applied, until they are written
    Wake wake_;
    Gate work_;
    bool has_work_ = false;
    bool stopping_ = false;
    Instant next_step_;
    Instant store_time_;    // at the last write
    Instant store_time_at_; // by the loop's clock
    KeeperCounters counters_;
    std::atomic<bool> healthy_{true};
};

} // namespace urr::waiting_room
