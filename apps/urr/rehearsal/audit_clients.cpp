// The half of the audit that starts from what the clients were told.
#include <algorithm>
#include <optional>

#include "apps/urr/rehearsal/audit.hpp"

namespace urr::app {

namespace {

std::string bytes_of_id(std::string_view text) {
    const auto id = Id<void>::parse(text);
    return id ? std::string(reinterpret_cast<const char*>(id->bytes.data()), id->bytes.size())
              : std::string();
}

std::string ms_of(std::int64_t us) { return std::to_string(us / 1000) + " ms"; }

class ClientAudit {
public:
    ClientAudit(const Record& record, const StoreFacts& facts, Audit& audit)
        : record_(record), facts_(facts), audit_(audit), by_fan_(record.accounts.size()) {
        for (const Told& told : record.told) by_fan_[told.fan].push_back(&told);
        for (const AccountId& account : record.accounts)
            accounts_.emplace_back(reinterpret_cast<const char*>(account.bytes.data()),
                                   account.bytes.size());
    }
    void run() {
        check_attacks_and_faults();
        check_numbers();
        check_room_order();
        check_holds();
        check_inside();
        for (std::size_t fan = 0; fan < by_fan_.size(); ++fan) {
            check_place(fan);
            check_orders(fan);
            check_seats(fan);
        }
        if (record_.closed) check_strangers();
    }

private:
    void find(std::int64_t Audit::* counter, const Told& told, std::string what) {
        audit_.find(counter, 1, "fan " + std::to_string(told.fan) + " " + std::move(what));
    }

    void check_attacks_and_faults() {
        for (const Told& told : record_.told) {
            if (told.status == 500) find(&Audit::unexplained, told, "met an internal error");
            if (told.attack == Attack::none || !told.good()) continue;
            find(told.attack == Attack::too_many_seats ? &Audit::oversold
                                                       : &Audit::order_violations,
                 told, "gained by " + std::string(attack_name(told.attack)));
        }
    }

    // A number belongs to one receipt, a receipt to one fan.
    void check_numbers() {
        std::map<std::pair<std::uint64_t, std::uint64_t>, const Told*> numbers;
        for (const Told& told : record_.told) {
            if (!told.is(Call::assign) || !told.good() || told.position == 0) continue;
            const auto [at, fresh] = numbers.try_emplace({told.epoch, told.position}, &told);
            if (!fresh && (at->second->id != told.id || at->second->fan != told.fan))
                find(&Audit::order_violations, told,
                     "was given number " + std::to_string(told.position) + ", as was fan " +
                         std::to_string(at->second->fan));
        }
    }

    // Serving only rises: once a number was let in, and every door had time to hear of it, nobody
    // with a smaller one is told to wait.
    void check_room_order() {
        std::vector<const Told*> let_in, waiting;
        for (const Told& told : record_.told)
            if (told.is(Call::check) && told.good())
                (told.admitted ? let_in : waiting).push_back(&told);
        std::sort(let_in.begin(), let_in.end(),
                  [](const Told* a, const Told* b) { return a->at_us < b->at_us; });
        std::sort(waiting.begin(), waiting.end(),
                  [](const Told* a, const Told* b) { return a->sent_us < b->sent_us; });
        std::map<std::uint64_t, std::uint64_t> highest; // by epoch
        std::size_t next = 0;
        for (const Told* told : waiting) {
            const std::int64_t heard_us = told->sent_us - record_.door_lag_us;
            for (; next < let_in.size() && let_in[next]->at_us < heard_us; ++next) {
                std::uint64_t& most = highest[let_in[next]->epoch];
                most = std::max(most, let_in[next]->position);
            }
            const auto most = highest.find(told->epoch);
            if (most != highest.end() && told->position < most->second)
                find(&Audit::order_violations, *told,
                     "waits with number " + std::to_string(told->position) + " although " +
                         std::to_string(most->second) + " was let in");
        }
    }

    // At no time are more inside than the threshold. From when an entry came until anything was
    // asked that may end it, somebody was inside for certain.
    void check_inside() {
        struct Step {
            std::int64_t at_us;
            int change; // who leaves at the same time makes room first
            const Told* told;
        };
        if (!facts_.threshold) return; // the other half tells that
        std::vector<Step> steps;
        for (const auto& tolds : by_fan_) {
            const Told* active = nullptr;
            std::int64_t until_us = 0;
            const auto close = [&](std::int64_t at_us) {
                if (active && at_us > active->at_us) {
                    steps.push_back({active->at_us, 1, active});
                    steps.push_back({at_us, -1, active});
                }
                active = nullptr;
            };
            for (const Told* told : tolds) {
                if (told->attack != Attack::none) continue;
                if (active && told->at_us >= until_us) close(until_us);
                if (told->call == Call::leave || told->call == Call::confirm) close(told->sent_us);
                if (told->call != Call::entry || !told->good() || told->state != "active") continue;
                if (!active) active = told;
                until_us = told->expires_us;
            }
            close(until_us);
        }
        std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
            return std::pair(a.at_us, a.change) < std::pair(b.at_us, b.change);
        });
        std::int64_t inside = 0;
        for (const Step& step : steps) {
            inside += step.change;
            if (step.change > 0 && inside > *facts_.threshold)
                find(&Audit::order_violations, *step.told,
                     "was let in as number " + std::to_string(inside) + " of at most " +
                         std::to_string(*facts_.threshold));
        }
    }

    // A hold that was acknowledged bars everybody else until its time is over or it was given up.
    // Whoever asks again by his key, after a cut, may hear of a hold that is over: it bars nobody.
    void check_holds() {
        std::map<std::int64_t, const Told*> holder;
        for (const Told& told : record_.told) {
            if (!told.is(Call::reserve) || !told.good()) continue;
            if (told.expires_us <= told.at_us) continue;
            for (const std::int64_t seat : told.seats) {
                const Told*& last = holder[seat];
                if (last && last->id != told.id && told.at_us < last->expires_us &&
                    !gave_up(*last, told.at_us))
                    find(&Audit::oversold, told,
                         "holds seat " + std::to_string(seat) + " (for " +
                             ms_of(told.expires_us - told.at_us) + "), which fan " +
                             std::to_string(last->fan) + " holds (for " +
                             ms_of(last->expires_us - told.at_us) + ")");
                last = &told;
            }
        }
    }
    // A payment that failed for good may free the seats before the hold's time.
    bool gave_up(const Told& hold, std::int64_t before_us) const {
        return std::any_of(by_fan_[hold.fan].begin(), by_fan_[hold.fan].end(), [&](const Told* t) {
            return t->is(Call::confirm) && t->order == hold.id && t->sent_us < before_us &&
                   !t->good();
        });
    }

    // Who was told of a place in either tier keeps it, has one only, and has it in the store.
    void check_place(std::size_t fan) {
        const Told* place = nullptr; // the last acknowledgement that nothing ended since
        const Told* active = nullptr;
        bool ended = false;
        for (const Told* told : by_fan_[fan]) {
            if (told->attack != Attack::none) continue;
            if (told->call == Call::check &&
                (told->code == "RECEIPT_INVALID" || told->code == "ROOM_CHANGED"))
                find(&Audit::order_violations, *told, "lost its number: " + told->code);
            if (told->call == Call::leave || told->call == Call::confirm) ended = true;
            if (told->call != Call::entry) continue;
            const bool over = ended || (active && active->expires_us <= told->at_us);
            if (told->code == "NOT_IN_QUEUE" && place && !over)
                find(&Audit::order_violations, *told, "lost its place in the queue");
            if (!told->good()) continue;
            if (told->state == "active") {
                if (active && active->id != told->id && !over)
                    find(&Audit::order_violations, *told, "has two places");
                active = told;
            }
            place = told;
        }
        if (!place) return;
        const auto member = facts_.members.find(accounts_[fan]);
        if (member == facts_.members.end())
            find(&Audit::order_violations, *place, "has a place that the store does not have");
        else if (place->position && !member->second.at_the_end &&
                 member->second.position != place->position)
            find(&Audit::order_violations, *place,
                 "stands at " + std::to_string(member->second.position) + " instead of " +
                     std::to_string(place->position));
    }

    void check_orders(std::size_t fan) {
        for (const Told* told : by_fan_[fan])
            if (told->is(Call::reserve) && told->good()) check_order(fan, *told);
    }
    void check_order(std::size_t fan, const Told& hold) {
        const auto stored = facts_.reservations.find(bytes_of_id(hold.id));
        if (stored == facts_.reservations.end() || stored->second.account != accounts_[fan])
            return find(&Audit::unexplained, hold, "has a hold that the store does not have");
        const Told* paid = nullptr;
        const Told* refused = nullptr; // the last answer, where it was a refusal for good
        bool unknown = false;
        for (const Told* told : by_fan_[fan]) {
            if (!told->is(Call::confirm) || told->order != hold.id) continue;
            const bool late = told->at_us >= hold.expires_us;
            if ((told->code == "HOLD_EXPIRED" || told->code == "NOT_FOUND") && !paid && !refused &&
                !late)
                find(&Audit::unexplained, *told,
                     "lost a hold " + std::to_string((hold.expires_us - told->at_us) / 1000) +
                         " ms before its end");
            if (told->good())
                paid = told;
            else if (told->status == 0 || told->status >= 500 ||
                     told->code == "PAYMENT_OUTCOME_PENDING")
                unknown = true;
            else if (told->code == "PAYMENT_DECLINED" || told->code == "HOLD_EXPIRED")
                refused = told;
        }
        constexpr int confirmed = 2;
        if (refused && !paid && !unknown && stored->second.state == confirmed)
            find(&Audit::unexplained, *refused, "was refused (" + refused->code + ") and charged");
        if (paid) check_paid(fan, hold, *paid);
    }
    void check_paid(std::size_t fan, const Told& hold, const Told& paid) {
        const std::string payment = bytes_of_id(paid.id);
        if (!facts_.captured.contains(payment))
            return find(&Audit::money_imbalance, paid, "paid, and the store knows no payment");
        if (facts_.refunded.contains(payment)) return;
        for (const std::int64_t seat : hold.seats)
            if (!owns(fan, seat))
                find(&Audit::paid_without_seat, paid,
                     "paid for seat " + std::to_string(seat) + " and does not have it");
    }

    void check_seats(std::size_t fan) {
        for (const Told* told : by_fan_[fan]) {
            if (!told->is(Call::reservation) || told->state != "confirmed") continue;
            for (const std::int64_t seat : told->seats) {
                if (!owns(fan, seat))
                    find(&Audit::lost_confirmed, *told,
                         "was told that seat " + std::to_string(seat) + " is confirmed");
                const auto [at, fresh] = owner_.try_emplace(seat, fan);
                if (!fresh && at->second != fan)
                    find(&Audit::oversold, *told,
                         "shares seat " + std::to_string(seat) + " with fan " +
                             std::to_string(at->second));
            }
        }
    }
    bool owns(std::size_t fan, std::int64_t seat) const {
        const auto tickets = facts_.tickets.find(accounts_[fan]);
        return tickets != facts_.tickets.end() && tickets->second.contains(seat);
    }

    // A ticket whose owner never asked for that seat.
    void check_strangers() {
        std::map<std::string, std::set<std::int64_t>> asked;
        for (const Told& told : record_.told)
            if (told.call == Call::reserve)
                asked[accounts_[told.fan]].insert(told.seats.begin(), told.seats.end());
        for (const auto& [account, seats] : facts_.tickets)
            for (const std::int64_t seat : seats)
                if (!asked[account].contains(seat))
                    audit_.find(&Audit::unexplained, 1,
                                "nobody asked for the ticket of seat " + std::to_string(seat));
    }

    const Record& record_;
    const StoreFacts& facts_;
    Audit& audit_;
    std::vector<std::vector<const Told*>> by_fan_;
    std::vector<std::string> accounts_;
    std::map<std::int64_t, std::size_t> owner_;
};

} // namespace

std::string_view attack_name(Attack attack) {
    constexpr std::string_view names[] = {"nothing",
                                          "a forged receipt",
                                          "a receipt of another event",
                                          "a token that another account has used",
                                          "asking without an entry token",
                                          "a forged entry token",
                                          "another account's entry token",
                                          "asking for too many seats"};
    return names[std::size_t(attack)];
}

void audit_clients(const Record& record, const StoreFacts& facts, Audit& audit) {
    ClientAudit(record, facts, audit).run();
}

} // namespace urr::app
