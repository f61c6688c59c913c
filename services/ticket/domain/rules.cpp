#include "services/ticket/domain/rules.hpp"

namespace urr::ticket {

std::string_view status_name(EventStatus status) {
    constexpr std::string_view names[] = {"draft",   "upcoming", "onSale",   "lastSeats",
                                          "soldOut", "ended",    "cancelled"};
    return names[std::size_t(status)];
}

} // namespace urr::ticket
