#include "sim/told.hpp"

#include <algorithm>

namespace urr::sim {

void Told::place(const std::string& account, const std::string& receipt, std::int64_t epoch,
                 std::int64_t position) {
    const auto [known, fresh] = position_of_.try_emplace(receipt, position);
    if (!fresh && known->second != position)
        violations_.add("a receipt changed its position to " + std::to_string(position));
    const auto [owner, alone] = receipt_at_.try_emplace({epoch, position}, receipt);
    if (!alone && owner->second != receipt)
        violations_.add("position " + std::to_string(position) + " was given to two people");
    fans_[account].positions.insert(position);
    highest_position_ = std::max(highest_position_, position);
}

void Told::not_served(const std::string& receipt) {
    if (served_.contains(receipt)) violations_.add("a place that was served is not any more");
}

void Told::entered(const std::string& account, const std::string& receipt, Instant asked,
                   Instant now) {
    if (!receipt.empty()) {
        const auto [owner, fresh] = account_of_receipt_.try_emplace(receipt, account);
        if (!fresh && owner->second != account)
            violations_.add("one receipt let two accounts in: " + owner->second + " and " +
                            account);
    }
    Fan& f = fans_[account];
    if (!f.in_line) {
        f.in_line_since = now;
        ++f.joins;
    }
    f.in_line = true;
    f.last_sign = std::max(f.last_sign, asked);
}

void Told::sign_of_life(const std::string& account, Instant asked) {
    Fan& f = fans_[account];
    f.last_sign = std::max(f.last_sign, asked);
}

void Told::leaves(const std::string& account) {
    Fan& f = fans_[account];
    f.left = true;
    f.in_line = false;
}

void Told::not_in_line(const std::string& account) { fans_[account].in_line = false; }

void Told::hold(const std::string& account, const std::string& key, const std::string& id,
                Hold hold) {
    const auto [first, fresh] = hold_by_key_.try_emplace({account, key}, id);
    if (!fresh && first->second != id)
        violations_.add("one idempotency key made two reservations: " + first->second + " and " +
                        id);
    const auto [known, new_one] = holds_.try_emplace(id, std::move(hold));
    if (!new_one && known->second.account != account)
        violations_.add("reservation " + id + " was given to two accounts");
}

Instant Told::end_of_hold(const std::string& id) const {
    const auto hold = holds_.find(id);
    if (hold == holds_.end()) return {};
    return parse_rfc3339(hold->second.expires).value_or(Instant{});
}

void Told::hold_over(const std::string& id, Instant furthest) {
    const Instant end = end_of_hold(id);
    if (end > furthest)
        violations_.add("hold " + id + " was over " + std::to_string((end - furthest).us / 1000) +
                        " ms before its end");
}

void Told::captured(const std::string& payment, const std::string& order) {
    for (const auto& [other, of] : captures_)
        if (of == order && other != payment)
            violations_.add("order " + order + " was captured twice");
    captures_.emplace(payment, order);
}

void Told::ticket(const std::string& account, const std::string& id, std::int64_t seat) {
    const auto [owner, fresh] = ticket_of_seat_.try_emplace(seat, account);
    if (!fresh && owner->second != account)
        violations_.add("seat " + std::to_string(seat) + " was sold to two accounts");
    tickets_.emplace(id, account);
}

} // namespace urr::sim
