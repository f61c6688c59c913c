// The states of a seat, a reservation and a ticket, and the changes between them. Every change in
// the store is one of these transitions; what is not in the tables does not happen.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace urr::ticket {

// Numbers are stored: they never change their meaning.
enum class SeatState : std::uint8_t {
    available = 0,
    held = 1,
    paying = 2,
    sold = 3,
    cooling = 4,
    offered = 5,
    blocked = 6
};
enum class SeatEvent : std::uint8_t {
    hold,
    release,
    begin_payment,
    captured,
    declined,
    voided,
    return_sold,
    offer,
    lapse,
    block
};

enum class ReservationState : std::uint8_t {
    pending = 0,
    paying = 1,
    confirmed = 2,
    expired = 3,
    cancelled = 4,
    failed = 5,
    refunded = 6
};
enum class ReservationEvent : std::uint8_t {
    begin_payment,
    captured,
    declined,
    voided,
    expire,
    cancel,
    refund
};

enum class TicketState : std::uint8_t {
    valid = 0,
    used = 1,
    refunding = 2,
    refunded = 3,
    offered = 4,
    held = 5,
    paying = 6
};
enum class TicketEvent : std::uint8_t {
    check_in,
    refund_requested,
    refund_done,
    offer,
    hold,
    begin_payment,
    captured,
    withdraw,
    lapse
};

// The state after the event; empty: the event is refused in that state.
std::optional<SeatState> after(SeatState state, SeatEvent event);
std::optional<ReservationState> after(ReservationState state, ReservationEvent event);
std::optional<TicketState> after(TicketState state, TicketEvent event);

// One character a seat in the map: available a, held h, paying p, sold s, cooling c, offered o,
// blocked b.
char seat_letter(SeatState state);
std::string_view state_name(ReservationState state);
std::string_view state_name(TicketState state);

} // namespace urr::ticket
