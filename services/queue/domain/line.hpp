// The line of one event: who waits, in which order, and who is in. Pure: no clock, no store.
//
// Order is (epoch, phase, tier-1 position) where there is a waiting room, arrival otherwise. Who is
// silent for too long is passed over, never removed: the place stays and comes first on return.
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
};

struct Rules {
    std::int64_t threshold = 1000;  // active at once
    Duration active = minutes(10);  // at most
    Duration silence = seconds(45); // then one is passed over
};

enum class MemberState : std::uint8_t { waiting = 0, active = 1, ended = 2 };

struct Member {
    Place place;
    MemberState state = MemberState::waiting;
    Instant seen;           // last sign of life
    IdBytes token{};        // of the entry, while active
    Instant until;          // end of the active slot
    std::uint64_t rank = 0; // people ahead, as of the last tick
};

struct Admission {
    AccountId account;
    IdBytes token{};
    Instant until;
};

class Line {
public:
    // An account that is in the line already stays as it is.
    Member& join(const AccountId& account, Place place, Instant now);
    // As the store has it.
    void restore(const AccountId& account, const Member& member);
    Member* find(const AccountId& account);
    void saw(const AccountId& account, Instant now);
    // Takes the member out; it may join anew, at the end.
    void end(const AccountId& account);

    // Whom to admit now: the first that are not silent, as many as there is room for.
    std::vector<AccountId> next(const Rules& rules, Instant now, std::int64_t most) const;
    // What was chosen (and written down) takes effect.
    void admit(const Admission& admission);
    // Active ones whose time is over.
    std::vector<AccountId> overdue(Instant now) const;
    // Counts who is ahead of whom. Once a tick: linear.
    void rank();

    std::int64_t waiting() const { return std::int64_t(order_.size()); }
    std::int64_t active() const { return active_; }
    std::uint64_t next_arrival() { return ++arrivals_; }

private:
    std::map<Place, AccountId> order_; // of those who wait
    std::unordered_map<AccountId, Member, IdHash> members_;
    std::int64_t active_ = 0;
    std::uint64_t arrivals_ = 0;
};

int poll_after_seconds(std::uint64_t ahead);

} // namespace urr::queue
