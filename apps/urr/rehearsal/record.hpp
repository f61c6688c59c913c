// What the fans of a stampede were told: every answer, as it came, with when it was asked for. One
// half of the audit; it knows nothing of the services but their public contract. Values only.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "libs/core/id.hpp"

namespace urr::app {

// The first seven are the calls whose latency is reported.
enum class Call : std::uint8_t {
    assign,
    status,
    check,
    entry,
    seats,
    reserve,
    confirm,
    reservation,
    leave
};
inline constexpr std::size_t reported_calls = 7;
inline constexpr std::size_t calls = 9;

// What a bot tried with a request that must be refused.
enum class Attack : std::uint8_t {
    none,
    forged_receipt,   // a receipt with a changed sign, or a made-up one
    foreign_receipt,  // a receipt shown at another event's door
    spent_room_token, // a waiting-room token that another account has used
    no_entry_token,
    forged_entry_token,
    foreign_entry_token, // another account's
    too_many_seats       // more in one hold than a person may have
};
std::string_view attack_name(Attack attack);

struct Told {
    std::uint32_t fan = 0; // whose account asked
    Call call = Call::assign;
    Attack attack = Attack::none;
    int status = 0; // 0: no answer came, nobody knows what happened
    std::string code;
    std::int64_t sent_us = 0, at_us = 0; // since 1970

    // What was shown with the request: the position of its receipt, the order that it is about.
    std::uint64_t position = 0; // or, at assign, the position given
    std::uint64_t epoch = 0;
    std::string order;
    // What the answer said.
    std::string id;    // receipt, entry token, reservation or payment
    std::string state; // of the place, the reservation or the payment
    bool admitted = false;
    std::vector<std::int64_t> seats;
    std::int64_t amount = 0;
    std::int64_t expires_us = 0;

    bool good() const { return status >= 200 && status < 300; }
    bool is(Call which) const { return call == which && attack == Attack::none; }
};

struct Record {
    std::vector<AccountId> accounts; // by fan
    std::vector<Told> told;          // in the order in which answers came
    bool closed = true;              // nobody else took part in the sale
    // How much later than another one a door may hear that the line has moved: nothing where one
    // process holds the room; a second where several share it, which is what they promise.
    std::int64_t door_lag_us = 0;
};

} // namespace urr::app
