// The audit of a sale, in two halves that share no code with the services: what the stores hold (by
// SQL of its own), and what the clients were told. Both must agree.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/core/id.hpp"

namespace urr::app {

// What one fan was told.
struct FanRecord {
    AccountId account;
    std::uint64_t position = 0;
    std::string reservation; // acknowledged hold
    std::vector<std::int64_t> seats;
    bool paid = false;      // payment acknowledged as captured
    bool confirmed = false; // reservation seen as confirmed
};

struct Audit {
    std::int64_t oversold = 0, paid_without_seat = 0, lost_confirmed = 0;
    std::int64_t order_violations = 0, money_imbalance = 0, unexplained = 0;
    std::int64_t sold = 0, free = 0, stuck = 0;
    // Of the stores: seats by account with a living ticket.
    std::map<std::string, std::set<std::int64_t>> tickets;

    bool ok() const {
        return oversold + paid_without_seat + lost_confirmed + order_violations + money_imbalance +
                   unexplained ==
               0;
    }
};

// Reads the stores of a system that has ended.
Audit audit_stores(const std::string& folder, const EventId& event);
void audit_clients(const std::vector<FanRecord>& records, Audit& audit);

} // namespace urr::app
