#include "services/queue/domain/line.hpp"

#include <algorithm>

namespace urr::queue {

Member& Line::join(const AccountId& account, Place place, Instant now) {
    const auto [at, fresh] = members_.try_emplace(account);
    Member& member = at->second;
    if (!fresh) {
        member.seen = std::max(member.seen, now);
        return member;
    }
    member.place = place;
    member.seen = now;
    member.rank = order_.empty() || order_.rbegin()->first < place ? order_.size() : 0;
    order_.emplace(place, account);
    return member;
}

void Line::restore(const AccountId& account, const Member& member) {
    members_[account] = member;
    arrivals_ = std::max(arrivals_, member.place.arrival);
    if (member.state == MemberState::active)
        ++active_;
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
        --active_;
    else
        order_.erase(at->second.place);
    members_.erase(at);
}

std::vector<AccountId> Line::next(const Rules& rules, Instant now, std::int64_t most) const {
    std::vector<AccountId> chosen;
    const std::int64_t room = std::min(rules.threshold - active_, most);
    for (const auto& [place, account] : order_) {
        if (std::int64_t(chosen.size()) >= room) break;
        if (members_.at(account).seen + rules.silence >= now) chosen.push_back(account);
    }
    return chosen;
}

void Line::admit(const Admission& admission) {
    Member* member = find(admission.account);
    if (!member || member->state != MemberState::waiting) return;
    order_.erase(member->place);
    member->state = MemberState::active;
    member->token = admission.token;
    member->until = admission.until;
    ++active_;
}

std::vector<AccountId> Line::overdue(Instant now) const {
    std::vector<AccountId> accounts;
    for (const auto& [account, member] : members_)
        if (member.state == MemberState::active && member.until <= now) accounts.push_back(account);
    return accounts;
}

void Line::rank() {
    std::uint64_t ahead = 0;
    for (const auto& [place, account] : order_) members_.at(account).rank = ahead++;
}

int poll_after_seconds(std::uint64_t ahead) {
    if (ahead <= 500) return 2;
    if (ahead <= 2'000) return 5;
    return ahead <= 10'000 ? 10 : 15;
}

} // namespace urr::queue
