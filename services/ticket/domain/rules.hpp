// The rules of holding, in numbers and pure functions. Defaults of the settings of the same names.
#pragma once
#include <cstddef>

#include "libs/core/instant.hpp"

namespace urr::ticket {

inline constexpr std::size_t seats_per_reservation_max = 10;

struct Rules {
    Duration hold = minutes(5);
    Duration hold_after_decline = seconds(60); // at least, of the hold's remainder
    int declines_max = 2;
    int lapses_max = 3; // holds that lapsed, per account and event
    Duration pause = minutes(30);
};

// When a hold ends that goes on after a declined payment.
constexpr Instant hold_end_after_decline(const Rules& rules, Instant now, Instant hold_until) {
    const Instant least = now + rules.hold_after_decline;
    return hold_until > least ? hold_until : least;
}

} // namespace urr::ticket
