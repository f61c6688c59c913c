// The rules of holding, in numbers and pure functions. Defaults of the settings of the same names.
#pragma once
#include "libs/core/instant.hpp"
#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {

struct Rules {
    Duration hold = minutes(5);
    Duration hold_after_decline = seconds(60); // at least, of the hold's remainder
    int declines_max = 2;
    int lapses_max = 3; // holds that lapsed, per account and event
    Duration pause = minutes(30);
};

enum class EventStatus : std::uint8_t {
    draft = 0,
    upcoming = 1,
    on_sale = 2,
    last_seats = 3,
    sold_out = 4,
    ended = 5,
    cancelled = 6
};
std::string_view status_name(EventStatus status);

struct Stock {
    std::int64_t free = 0;      // could be held now
    std::int64_t under_way = 0; // held or paying: may come back
};

// The same on every pod: by time and stock alone.
constexpr EventStatus status_at(bool published, Instant now, Instant sale_start, Instant sale_end,
                                Stock stock) {
    if (!published) return EventStatus::draft;
    if (now < sale_start) return EventStatus::upcoming;
    if (now >= sale_end) return EventStatus::ended;
    if (stock.free > 0) return EventStatus::on_sale;
    return stock.under_way > 0 ? EventStatus::last_seats : EventStatus::sold_out;
}

// When a hold ends that goes on after a declined payment.
constexpr Instant hold_end_after_decline(const Rules& rules, Instant now, Instant hold_until) {
    const Instant least = now + rules.hold_after_decline;
    return hold_until > least ? hold_until : least;
}

} // namespace urr::ticket
