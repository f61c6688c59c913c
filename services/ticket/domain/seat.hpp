// The states of a seat, a reservation and a ticket, and the changes between them. Every change in
// the store is one of these transitions; what is not in the tables does not happen. Pure.
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

template <class State, class Event>
struct Transition {
    State from;
    Event event;
    State to;
};

inline constexpr Transition<SeatState, SeatEvent> seat_transitions[] = {
    {SeatState::available, SeatEvent::hold, SeatState::held},
    {SeatState::available, SeatEvent::block, SeatState::blocked},
    {SeatState::available, SeatEvent::offer, SeatState::offered},
    {SeatState::held, SeatEvent::release, SeatState::available},
    {SeatState::held, SeatEvent::begin_payment, SeatState::paying},
    {SeatState::paying, SeatEvent::captured, SeatState::sold},
    {SeatState::paying, SeatEvent::declined, SeatState::held},
    {SeatState::paying, SeatEvent::voided, SeatState::available},
    {SeatState::sold, SeatEvent::return_sold, SeatState::cooling},
    {SeatState::cooling, SeatEvent::lapse, SeatState::available},
    {SeatState::cooling, SeatEvent::offer, SeatState::offered},
    {SeatState::offered, SeatEvent::hold, SeatState::held},
    {SeatState::offered, SeatEvent::lapse, SeatState::available},
    {SeatState::blocked, SeatEvent::release, SeatState::available},
};

inline constexpr Transition<ReservationState, ReservationEvent> reservation_transitions[] = {
    {ReservationState::pending, ReservationEvent::begin_payment, ReservationState::paying},
    {ReservationState::pending, ReservationEvent::expire, ReservationState::expired},
    {ReservationState::pending, ReservationEvent::cancel, ReservationState::cancelled},
    {ReservationState::paying, ReservationEvent::captured, ReservationState::confirmed},
    {ReservationState::paying, ReservationEvent::declined, ReservationState::pending},
    {ReservationState::paying, ReservationEvent::voided, ReservationState::failed},
    {ReservationState::confirmed, ReservationEvent::refund, ReservationState::refunded},
};

inline constexpr Transition<TicketState, TicketEvent> ticket_transitions[] = {
    {TicketState::valid, TicketEvent::check_in, TicketState::used},
    {TicketState::valid, TicketEvent::refund_requested, TicketState::refunding},
    {TicketState::valid, TicketEvent::offer, TicketState::offered},
    {TicketState::refunding, TicketEvent::refund_done, TicketState::refunded},
    {TicketState::offered, TicketEvent::hold, TicketState::held},
    {TicketState::offered, TicketEvent::withdraw, TicketState::valid},
    {TicketState::held, TicketEvent::begin_payment, TicketState::paying},
    {TicketState::held, TicketEvent::lapse, TicketState::offered},
    {TicketState::paying, TicketEvent::captured, TicketState::valid}, // of the new holder
    {TicketState::paying, TicketEvent::lapse, TicketState::offered},
};

template <class State, class Event, std::size_t N>
constexpr std::optional<State> find_transition(const Transition<State, Event> (&table)[N],
                                               State from, Event event) {
    for (const auto& row : table)
        if (row.from == from && row.event == event) return row.to;
    return std::nullopt;
}

// The state after the event; empty: the event is refused in that state.
constexpr std::optional<SeatState> after(SeatState state, SeatEvent event) {
    return find_transition(seat_transitions, state, event);
}
constexpr std::optional<ReservationState> after(ReservationState state, ReservationEvent event) {
    return find_transition(reservation_transitions, state, event);
}
constexpr std::optional<TicketState> after(TicketState state, TicketEvent event) {
    return find_transition(ticket_transitions, state, event);
}

// A transition that is known when the program is built: one that no table has does not compile.
template <class State>
struct Move {
    State from, to;
};
consteval Move<SeatState> move(SeatState from, SeatEvent event) {
    return {from, after(from, event).value()};
}
consteval Move<ReservationState> move(ReservationState from, ReservationEvent event) {
    return {from, after(from, event).value()};
}

// One character a seat in the map: available a, held h, paying p, sold s, cooling c, offered o,
// blocked b.
char seat_letter(SeatState state);
std::string_view state_name(ReservationState state);
std::string_view state_name(TicketState state);

} // namespace urr::ticket
