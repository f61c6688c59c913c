// The line of one event: who waits, in which order, and who is in. Pure: no clock, no store.
//
// Order is (epoch, phase, tier-1 position) where there is a waiting room, arrival otherwise. Who is
// silent for too long is passed over, never removed: the place stays and comes first on return.
// Who was let in and did not fetch the entry stands at his place again.
//
// Tier 1 lets in what this line can take, so it is short: what a tick does is linear in it.
#pragma once
#include <compare>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"

namespace urr::queue {

struct Place {
    std::uint64_t epoch = 0;
    std::uint32_t phase = 0;
    std::uint64_t position = 0; // of tier 1, or 0
    std::uint64_t arrival = 0;  // breaks ties; rises with each join
    auto operator<=>(const Place&) const = default;
    // What a client compares with the landmarks of its phase.
    std::uint64_t number() const { return position ? position : arrival; }
};

struct Rules {
    std::int64_t threshold = 1000;  // active at once
    Duration active = minutes(10);  // at most
    Duration silence = seconds(45); // then one is passed over
    Duration fetch = seconds(45);   // for fetching the entry; then it is revoked
};

enum class MemberState : std::uint8_t { waiting = 0, active = 1, ended = 2 };

struct Member {
    Place place;
    MemberState state = MemberState::waiting;
    Instant seen;           // last sign of life
    IdBytes receipt{};      // of tier 1, or zero
    IdBytes entry{};        // the entry token's jti, while active
    Instant admitted;       // while active
    Instant until;          // end of the active slot
    bool fetched = false;   // the entry token was handed over
    std::uint64_t rank = 0; // people ahead, as of the last tick
    // Of one who has ended, where the store was lost and did not write the end of his slot itself:
    bool over_heard = false; // the log told of the admission when its time was over
    Instant bought;          // a purchase spent it, whether the admission is known yet or not
    // Had his time inside. Whoever never had the entry has not, however late it is.
    bool over(Instant now) const { return state == MemberState::active && fetched && until <= now; }
};

struct Admission {
    AccountId account;
    std::uint64_t arrival = 0; // of the place that is meant
    IdBytes entry{};
    Instant admitted, until;
};

// A place in the line and how many stand before it.
struct Landmark {
    Place place;
    std::uint64_t ahead = 0;
};

class Line {
public:
    // An account that is in the line already stays as it is.
    Member& join(const AccountId& account, Place place, const IdBytes& receipt, Instant now);
    // As the store has it, whatever was here before.
    void restore(const AccountId& account, const Member& member);
    Member* find(const AccountId& account);
    void saw(const AccountId& account, Instant now);
    // Takes the member out; it may join anew, at the end.
    void end(const AccountId& account);
    // Takes out everybody whose place is of an earlier epoch. Linear.
    void end_before(std::uint64_t epoch);

    // Whom to admit now: the first that are not silent, as many as there is room for.
    std::vector<AccountId> next(const Rules& rules, Instant now, std::int64_t most) const;
    // What was chosen (and written down) takes effect.
    void admit(const Admission& admission);
    // The entry was not fetched: back to the place, passed over until a sign of life.
    void take_back(const AccountId& account, const IdBytes& entry);
    // Active ones that had their entry and whose time is over.
    std::vector<AccountId> overdue(Instant now) const;
    // Active ones that have not fetched the entry in time. They keep their place, even when the
    // whole slot has passed: nobody could reach us, or we could not write it down.
    std::vector<AccountId> unfetched(const Rules& rules, Instant now) const;
    // Counts who is ahead of whom, and who is awake. Once a tick: linear.
    void rank(const Rules& rules, Instant now);
    // Up to `most` places from the first to the last, evenly spread.
    std::vector<Landmark> landmarks(std::size_t most) const;

    std::int64_t waiting() const { return std::int64_t(order_.size()); }
    // Waiting and not silent, as of the last tick.
    std::int64_t awake() const { return awake_; }
    std::int64_t active() const { return std::int64_t(active_.size()); }
    // Store time in µs, so that a lost store does not start low; rises with each call.
    std::uint64_t next_arrival(Instant now);
    // Behind everybody who is or was in this line.
    Place end_of_line(Instant now);

private:
    void note(const Place& place);

    std::map<Place, AccountId> order_; // of those who wait
    std::unordered_map<AccountId, Member, IdHash> members_;
    std::map<AccountId, Member*> active_;
    std::int64_t awake_ = 0;
    std::uint64_t arrivals_ = 0;
    Place last_; // the hindmost place so far
};

// When to ask again; `spread` is any number, it keeps those who came together apart.
int poll_after_seconds(std::uint64_t ahead, std::uint64_t spread);

} // namespace urr::queue
