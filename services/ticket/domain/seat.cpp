#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {

char seat_letter(SeatState state) { return "ahpscob"[std::size_t(state)]; }

std::string_view state_name(ReservationState state) {
    constexpr std::string_view names[] = {"pending",   "paying", "confirmed", "expired",
                                          "cancelled", "failed", "refunded"};
    return names[std::size_t(state)];
}

std::string_view state_name(TicketState state) {
    constexpr std::string_view names[] = {"valid",   "used", "refunding", "refunded",
                                          "offered", "held", "paying"};
    return names[std::size_t(state)];
}

} // namespace urr::ticket
