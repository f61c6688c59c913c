#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {

namespace {

template <class State, class Event>
struct Transition {
    State from;
    Event event;
    State to;
};

using S = SeatState;
using SE = SeatEvent;
constexpr Transition<S, SE> seat_table[] = {
    {S::available, SE::hold, S::held},       {S::available, SE::block, S::blocked},
    {S::available, SE::offer, S::offered},   {S::held, SE::release, S::available},
    {S::held, SE::begin_payment, S::paying}, {S::paying, SE::captured, S::sold},
    {S::paying, SE::declined, S::held},      {S::paying, SE::voided, S::available},
    {S::sold, SE::return_sold, S::cooling},  {S::cooling, SE::lapse, S::available},
    {S::cooling, SE::offer, S::offered},     {S::offered, SE::hold, S::held},
    {S::offered, SE::lapse, S::available},   {S::blocked, SE::release, S::available},
};

using R = ReservationState;
using RE = ReservationEvent;
constexpr Transition<R, RE> reservation_table[] = {
    {R::pending, RE::begin_payment, R::paying}, {R::pending, RE::expire, R::expired},
    {R::pending, RE::cancel, R::cancelled},     {R::paying, RE::captured, R::confirmed},
    {R::paying, RE::declined, R::pending},      {R::paying, RE::voided, R::failed},
    {R::confirmed, RE::refund, R::refunded},
};

using T = TicketState;
using TE = TicketEvent;
constexpr Transition<T, TE> ticket_table[] = {
    {T::valid, TE::check_in, T::used},
    {T::valid, TE::refund_requested, T::refunding},
    {T::refunding, TE::refund_done, T::refunded},
    {T::valid, TE::offer, T::offered},
    {T::offered, TE::hold, T::held},
    {T::offered, TE::withdraw, T::valid},
    {T::held, TE::begin_payment, T::paying},
    {T::held, TE::lapse, T::offered},
    {T::paying, TE::captured, T::valid},
    {T::paying, TE::lapse, T::offered},
};

template <class State, class Event, std::size_t N>
std::optional<State> find(const Transition<State, Event> (&table)[N], State from, Event event) {
    for (const auto& row : table)
        if (row.from == from && row.event == event) return row.to;
    return std::nullopt;
}

} // namespace

std::optional<SeatState> after(SeatState state, SeatEvent event) {
    return find(seat_table, state, event);
}
std::optional<ReservationState> after(ReservationState state, ReservationEvent event) {
    return find(reservation_table, state, event);
}
std::optional<TicketState> after(TicketState state, TicketEvent event) {
    return find(ticket_table, state, event);
}

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
