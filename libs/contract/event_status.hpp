// The status of an event, derived by time and stock alone, so that ticket, catalog and every pod of
// them say the same: upcoming → onSale → lastSeats → soldOut ⇄ onSale → ended.
#pragma once
#include <cstdint>
#include <string_view>

#include "libs/core/instant.hpp"

namespace urr {

enum class EventStatus : std::uint8_t { draft, upcoming, on_sale, last_seats, sold_out, ended };

struct Stock {
    std::int64_t free = 0;      // could be held now
    std::int64_t under_way = 0; // held or paying, cooling or offered: may come back
    bool operator==(const Stock&) const = default;
};

constexpr EventStatus status_at(bool published, Instant now, Instant sale_start, Instant sale_end,
                                Stock stock) {
    if (!published) return EventStatus::draft;
    if (now < sale_start) return EventStatus::upcoming;
    if (now >= sale_end) return EventStatus::ended;
    if (stock.free > 0) return EventStatus::on_sale;
    return stock.under_way > 0 ? EventStatus::last_seats : EventStatus::sold_out;
}

constexpr std::string_view status_name(EventStatus status) {
    constexpr std::string_view names[] = {"draft",     "upcoming", "onSale",
                                          "lastSeats", "soldOut",  "ended"};
    return names[std::size_t(status)];
}

} // namespace urr
