#include "services/ticket/seat_locks.hpp"

namespace urr::ticket {

std::vector<std::int64_t> SeatLocks::taken(const SeatMap& map, const AccountId& who,
                                           std::span<const std::int64_t> seats) const {
    std::vector<std::int64_t> gone;
    const auto at = events_.find(map.event().id);
    if (at == events_.end()) return gone;
    const EventLocks& event = at->second;
    if (!event.has_holders || event.holders.contains(who) || event.holders.size() > holders_max)
        return gone;
    const Instant now = Loop::here().now();
    for (const std::int64_t seat : seats) {
        const auto lock = event.seats.find(seat);
        if (lock == event.seats.end()) continue;
        const SeatNews& news = lock->second;
        if (news.is_locked() && news.until > now && news.fence >= map.version(seat))
            gone.push_back(seat);
    }
    return gone;
}

const SeatNews* SeatLocks::take(const EventId& id, const SeatNews& news) {
    EventLocks& event = events_[id];
    SeatNews& lock = event.seats[news.seat];
    if (news.fence <= lock.fence) return nullptr;
    const bool is_paid_for = news.state == SeatState::paying || news.state == SeatState::sold;
    const AccountId before = lock.holder;
    const bool follows = news.fence == lock.fence + 1;
    lock = news;
    lock.known = Loop::here().now();
    // Who pays is who held, if nothing came between.
    if (is_paid_for && !lock.is_locked() && follows) lock.holder = before;
    if (is_paid_for) lock.until = never;
    if (lock.is_locked() && event.holders.size() <= holders_max) event.holders.insert(lock.holder);
    return &lock;
}

void SeatLocks::held(const Held& held, Instant began) {
    if (held.repeated) return;
    const Reservation& reservation = held.reservation;
    const Instant until = began + (reservation.expires - reservation.created);
    for (const SeatChange& change : held.changes) {
        const SeatNews news{change.seat, change.version, change.state, reservation.account, until};
        if (const SeatNews* known = take(change.event, news)) tell(change.event, *known);
    }
}

// Whose a seat is that is held again, after a declined card, and for how long, is not known here.
void SeatLocks::changed(const std::vector<SeatChange>& changes) {
    for (const SeatChange& change : changes) {
        const SeatNews news{change.seat, change.version, change.state, {}, never};
        if (const SeatNews* known = take(change.event, news)) tell(change.event, *known);
    }
}

void SeatLocks::add_holders(const EventId& event, const std::vector<AccountId>& accounts) {
    events_[event].has_holders = true;
    add_some_holders(event, accounts);
}

void SeatLocks::add_some_holders(const EventId& event, const std::vector<AccountId>& accounts) {
    auto& holders = events_[event].holders;
    for (const AccountId& account : accounts)
        if (holders.size() <= holders_max) holders.insert(account);
}

void SeatLocks::saw_rows(const EventId& id, const std::vector<SeatRow>& rows, Instant began) {
    const auto at = events_.find(id);
    if (at == events_.end()) return;
    std::erase_if(at->second.seats, [&](const auto& one) {
        const auto& [seat, news] = one;
        if (seat >= std::ssize(rows) || news.known >= began) return false;
        if (news.fence <= rows[std::size_t(seat)].version) return false;
        take_back(id, news);
        return true;
    });
}

} // namespace urr::ticket
