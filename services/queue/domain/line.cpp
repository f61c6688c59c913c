#include "services/queue/domain/line.hpp"

#include <algorithm>
#include <cassert>

namespace urr::queue {

void Line::note(const Place& place) {
    last_ = std::max(last_, place);
    arrivals_ = std::max(arrivals_, place.arrival);
}

Member& Line::join(const AccountId& account, Place place, const IdBytes& receipt, Instant now) {
    const auto [at, fresh] = members_.try_emplace(account);
    Member& member = at->second;
    member.seen = std::max(member.seen, now);
    if (!fresh) return member;
    member.place = place;
    member.receipt = receipt;
    member.rank = order_.empty() || order_.rbegin()->first < place ? order_.size() : 0;
    order_.emplace(place, account);
    note(place);
    return member;
}

void Line::restore(const AccountId& account, const Member& member) {
    end(account);
    Member& kept = members_[account];
    kept = member;
    note(member.place);
    if (member.state == MemberState::active)
        active_.emplace(account, &kept);
    else
        order_.emplace(member.place, account);
}

Member* Line::find(const AccountId& account) {
    const auto at = members_.find(account);
    return at == members_.end() ? nullptr : &at->second;
}

void Line::saw(const AccountId& account, Instant now) {
    if (Member* member = find(account)) member->seen = std::max(member->seen, now);
}

void Line::end(const AccountId& account) {
    const auto at = members_.find(account);
    if (at == members_.end()) return;
    if (at->second.state == MemberState::active)
        active_.erase(account);
    else
        order_.erase(at->second.place);
    members_.erase(at);
}

void Line::end_before(std::uint64_t epoch) {
    std::vector<AccountId> gone;
    for (const auto& [account, member] : members_)
        if (member.place.epoch < epoch) gone.push_back(account);
    for (const AccountId& account : gone) end(account);
}

std::vector<AccountId> Line::next(const Rules& rules, Instant now, std::int64_t most) const {
    std::vector<AccountId> chosen;
    const std::int64_t room = std::min(rules.threshold - active(), most);
    for (const auto& [place, account] : order_) {
        if (std::int64_t(chosen.size()) >= room) break;
        if (members_.at(account).seen + rules.silence >= now) chosen.push_back(account);
    }
    return chosen;
}

void Line::admit(const Admission& admission) {
    Member* member = find(admission.account);
    if (!member || member->state != MemberState::waiting ||
        member->place.arrival != admission.arrival)
        return;
    order_.erase(member->place);
    member->state = MemberState::active;
    member->entry = admission.entry;
    member->admitted = admission.admitted;
    member->until = admission.until;
    member->fetched = false;
    active_.emplace(admission.account, member);
}

void Line::take_back(const AccountId& account, const IdBytes& entry) {
    Member* member = find(account);
    if (!member || member->state != MemberState::active || member->entry != entry) return;
    active_.erase(account);
    member->state = MemberState::waiting;
    member->entry = {};
    member->until = {};
    order_.emplace(member->place, account);
}

std::vector<AccountId> Line::overdue(Instant now) const {
    std::vector<AccountId> accounts;
    for (const auto& [account, member] : active_)
        if (member->over(now)) accounts.push_back(account);
    return accounts;
}

std::vector<AccountId> Line::unfetched(const Rules& rules, Instant now) const {
    std::vector<AccountId> accounts;
    for (const auto& [account, member] : active_)
        if (!member->fetched && (member->admitted + rules.fetch <= now || member->until <= now))
            accounts.push_back(account);
    return accounts;
}

void Line::rank(const Rules& rules, Instant now) {
    std::uint64_t ahead = 0;
    awake_ = 0;
    for (const auto& [place, account] : order_) {
        Member& member = members_.at(account);
        member.rank = ahead++;
        if (member.seen + rules.silence >= now) ++awake_;
    }
}

std::vector<Landmark> Line::landmarks(std::size_t most) const {
    assert(most >= 2);
    std::vector<Landmark> marks;
    const std::size_t count = order_.size();
    const std::size_t wanted = std::min(most, count);
    std::size_t at = 0;
    for (const auto& [place, account] : order_) {
        const std::size_t i = marks.size();
        const std::size_t target = wanted < 2 ? 0 : i * (count - 1) / (wanted - 1);
        if (at == target) marks.push_back({place, at});
        if (marks.size() == wanted) break;
        ++at;
    }
    return marks;
}

std::uint64_t Line::next_arrival(Instant now) {
    arrivals_ = std::max(arrivals_ + 1, std::uint64_t(std::max<std::int64_t>(now.us, 0)));
    return arrivals_;
}

Place Line::end_of_line(Instant now) {
    Place place = last_;
    place.arrival = next_arrival(now);
    return place;
}

int poll_after_seconds(std::uint64_t ahead, std::uint64_t spread) {
    const int base = ahead <= 500 ? 2 : ahead <= 2'000 ? 5 : ahead <= 10'000 ? 10 : 15;
    return base + int(spread % std::uint64_t(base / 4 + 2));
}

} // namespace urr::queue
