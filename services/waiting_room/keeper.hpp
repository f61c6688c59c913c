// The keeper: the one task of a process that changes its rooms. It runs on its home loop and works
// in turns: take the reports that came, serve the next people where a second has passed, end and
// begin leases, write all of that, and only then show it to the loops. One turn at a time, so
// nothing interleaves; what it shows is never ahead of the store. Two kinds:
//
//     SoleKeeper     one process holds the rooms of its store: sole_keeper.hpp
//     CommonKeeper   several processes share them (DynamoDB, or one database): common_keeper.hpp
//
//     TRY(co_await keeper.open(context));        // loads the rooms
//     nursery.spawn(keeper.run());               // on the home loop
//     ...
//     keeper.stop(); co_await nursery.drained(context);
//
// From any loop: `steer`, `came`, `want_lease`.
#pragma once
#include "libs/async/owned.hpp"
#include "libs/async/task.hpp"
#include "libs/core/random.hpp"
#include "services/waiting_room/metrics.hpp"
#include "services/waiting_room/rooms.hpp"

namespace urr::waiting_room {

class Keeper {
public:
    Keeper(Loop& home, RoomTable& rooms, Random& random, const RateRule& rule);
    virtual ~Keeper() = default;
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    virtual Task<Result<>> open(Context context) = 0;
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
        return self_.with(&Keeper::note_came, event, epoch, position);
    }
    // Does this keeper want to hear of those who came?
    virtual bool counts_no_shows() const = 0;

    const KeeperCounters& counters() const { return counters_; }
    // Could the last turn be written? Any thread.
    bool healthy() const { return healthy_.load(std::memory_order_relaxed); }

protected:
    virtual Task<> turn() = 0;
    // The last turn; the reports that still wait are answered already.
    virtual Task<> finish() = 0;
    virtual void note(const EventId& event, std::uint64_t epoch, std::uint64_t position) = 0;

    // True once a second. Seconds in which the process stood still are not saved up.
    bool second_passed(Instant now);
    bool stopping() const { return stopping_; }
    // Another turn soon.
    void again() { has_work_ = true; }
    // Somebody who waits for a lease of this room learns that there is none to be had.
    void no_lease(SharedRoom& room);

    Loop& home_;
    RoomTable& table_;
    Random& random_;
    const RateRule rule_;
    std::vector<Steer*> arrived_; // reports, in order of arrival
    KeeperCounters counters_;
    std::atomic<bool> healthy_{true};

private:
    struct Wake : Node {
        Keeper* keeper = nullptr;
        std::atomic<bool> ringing{false};
    };
    static void note_came(Keeper*& keeper, EventId& event, std::uint64_t& epoch,
                          std::uint64_t& position);
    void wake();

    Owned<Keeper*> self_;
    Wake wake_;
    Gate work_;
    bool has_work_ = false;
    bool stopping_ = false;
    Instant next_step_;
};

} // namespace urr::waiting_room
