// What the clients were told, by the clients' own records: every answer that promises something is
// noted here, and compared at once with what was promised before. The checker (checker.hpp)
// compares it with what the stores hold. Shares no code with the services.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/core/id.hpp"

namespace urr::sim {

// The first broken promise ends a run.
class Violations {
public:
    void add(std::string what) {
        if (!first_) first_ = std::move(what);
    }
    bool any() const { return first_.has_value(); }
    const std::string& first() const { return *first_; }

private:
    std::optional<std::string> first_;
};

class Told {
public:
    struct Hold {
        std::string account; // ids as text, as clients see them
        std::vector<std::int64_t> seats;
        std::string created, expires; // as told first
    };
    struct Fan {
        std::set<std::int64_t> positions; // of the receipts that this account has
        bool in_line = false;             // told so, and has not left since
        bool left = false;                // has asked to leave, ever
        bool pays = false;                // a purchase ends the slot: may stand at the end again
        int joins = 0;
        Instant in_line_since, last_sign; // of the world's clock
    };

    explicit Told(Violations& violations) : violations_(violations) {}

    // A place in tier 1.
    void place(const std::string& account, const std::string& receipt, std::int64_t epoch,
               std::int64_t position);
    // The number was served, and a token came; or it was said not to be.
    void served(const std::string& receipt) { served_.insert(receipt); }
    void not_served(const std::string& receipt);
    // A place in tier 2; `receipt`: what was brought for it, or empty.
    void entered(const std::string& account, const std::string& receipt, Instant asked,
                 Instant now);
    void sign_of_life(const std::string& account, Instant asked);
    void leaves(const std::string& account);
    void not_in_line(const std::string& account);

    void hold(const std::string& account, const std::string& key, const std::string& id, Hold hold);
    Instant end_of_hold(const std::string& id) const;
    // It was said to be over; `furthest`: where the time stands at most.
    void hold_over(const std::string& id, Instant furthest);
    void captured(const std::string& payment, const std::string& order);
    void confirmed(const std::string& reservation) { confirmed_.insert(reservation); }
    void ticket(const std::string& account, const std::string& id, std::int64_t seat);

    Fan& fan(const std::string& account) { return fans_[account]; }
    const std::map<std::string, Fan>& fans() const { return fans_; }
    const std::map<std::string, Hold>& holds() const { return holds_; }
    const std::map<std::string, std::string>& captures() const { return captures_; } // → order
    const std::set<std::string>& confirmations() const { return confirmed_; }
    const std::map<std::string, std::string>& tickets() const { return tickets_; } // → account
    std::int64_t highest_position() const { return highest_position_; }

private:
    Violations& violations_;
    std::map<std::string, Fan> fans_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::string> receipt_at_;
    std::map<std::string, std::int64_t> position_of_;
    std::int64_t highest_position_ = 0;
    std::set<std::string> served_;
    std::map<std::string, std::string> account_of_receipt_;
    std::map<std::pair<std::string, std::string>, std::string> hold_by_key_;
    std::map<std::string, Hold> holds_;
    std::map<std::string, std::string> captures_;
    std::set<std::string> confirmed_;
    std::map<std::string, std::string> tickets_;
    std::map<std::int64_t, std::string> ticket_of_seat_;
};

} // namespace urr::sim
