// Locks of seats: which seats are known here to be somebody's, so that who clicks at one of them is
// told so without the store's being asked. Of a million clicks at taken seats the store hears next
// to none; who gets a seat is decided by its row alone, since a lock can only refuse.
//
//     if (auto gone = locks.taken(map, account, seats); !gone.empty()) … SEAT_TAKEN
//     locks.held(held, began);            // a hold was made here
//     locks.changed(changes);             // what other works of this process did
//
// A lock's fencing number is the seat's version: the store gives it in the write that takes the
// seat, under the row's lock. Whoever knows a higher one, from whatever source, knows that the lock
// is over; a message that was late, sent twice, or kept by a process that stood still says nothing
// new. So a lock that is wrong ends with the next look at the rows (Service::follow), and numbers
// do not begin anew when what keeps the locks was emptied. A store that was set back (a backup, a
// standby that had not received all) gives numbers anew: a lock that was known before a reading
// began, and is of a higher version than that shows, is of a past that did not happen, and goes.
//
// Nobody is refused who has ever held a seat of the event: his request may be the repeat of one
// that succeeded, and its answer stands in the store. Where who they are was not read, nobody is.
//
// Two engines: this class knows what this process did; SharedSeatLocks (shared_seat_locks.hpp) also
// what the others do. One loop, whose clock it goes by.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "services/ticket/seat_map.hpp"

namespace urr::ticket {

// That a seat is in this state as of version `fence`, and for whom.
struct SeatNews {
    std::int64_t seat = 0;
    std::int64_t fence = 0;
    SeatState state = SeatState::available;
    AccountId holder;      // zero: not known, or nobody's
    Instant until = never; // of the loop's clock: when the hold ends by itself
    Instant known{};       // of that clock: since when it is known here
    bool is_locked() const { return !holder.is_zero(); }
};

class SeatLocks {
public:
    // Of an event; with more nobody is refused here.
    static constexpr std::size_t holders_max = 200'000;
    using OnNews = std::function<void(const std::vector<SeatChange>&)>;

    SeatLocks() = default;
    SeatLocks(const SeatLocks&) = delete;
    SeatLocks& operator=(const SeatLocks&) = delete;
    virtual ~SeatLocks() = default;

    // Those of `seats` that are somebody else's for certain; empty: the store decides.
    std::vector<std::int64_t> taken(const SeatMap& map, const AccountId& who,
                                    std::span<const std::int64_t> seats) const;
    // `began`: when the store was asked, so that the lock does not outlive the hold.
    void held(const Held& held, Instant began);
    void changed(const std::vector<SeatChange>& changes);
    // From the store: who has held a seat of the event, now or before.
    void add_holders(const EventId& event, const std::vector<AccountId>& accounts);
    // What the primary's rows showed, in the order of their numbers; the reading began at `began`.
    void saw_rows(const EventId& event, const std::vector<SeatRow>& rows, Instant began);
    // The event's sale has ended: until its holders are given again nobody is refused.
    void forget(const EventId& event) { events_.erase(event); }
    // What other processes did, as soon as it is heard.
    void on_news(OnNews told) { told_ = std::move(told); }

protected:
    struct EventLocks {
        std::unordered_map<std::int64_t, SeatNews> seats;
        std::unordered_set<AccountId, IdHash> holders;
        bool has_holders = false; // those of the store are among them
    };
    // nullptr: nothing new. Else what is known now, which may be more than was told.
    const SeatNews* take(const EventId& event, const SeatNews& news);
    void pass_on(const std::vector<SeatChange>& changes) const {
        if (told_ && !changes.empty()) told_(changes);
    }
    const std::map<EventId, EventLocks>& events() const { return events_; }
    // Who has held a seat by another's word: not all of them, maybe.
    void add_some_holders(const EventId& event, const std::vector<AccountId>& accounts);
    virtual void tell(const EventId&, const SeatNews&) {}
    // It was of a store that was set back.
    virtual void take_back(const EventId&, const SeatNews&) {}

private:
    std::map<EventId, EventLocks> events_;
    OnNews told_;
};

} // namespace urr::ticket
