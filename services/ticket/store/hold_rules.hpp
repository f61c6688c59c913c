// What a hold may do and what it makes, without looking at any row: shared by the holds that run
// one by one and those of a batch. Pure.
#pragma once
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

inline std::unexpected<Error> seat_limit(const HoldOrder& order) {
    return fail(Code::SEAT_LIMIT,
                "at most " + std::to_string(order.seats_per_person) + " seats a person");
}

inline std::unexpected<Error> booking_paused(Instant until, Instant now) {
    const int seconds_left = int((until - now).us / 1'000'000) + 1;
    return fail(Error(Code::BOOKING_PAUSED).retry_after(seconds_left));
}

// EVENT_NOT_ON_SALE, SEAT_LIMIT.
inline Result<> may_hold(const HoldOrder& order, Instant now) {
    if (now < order.sale_start || now >= order.sale_end) return fail(Code::EVENT_NOT_ON_SALE);
    if (std::ssize(order.seats) > order.seats_per_person) return seat_limit(order);
    return {};
}

inline Reservation reservation_for(const HoldOrder& order, Instant now) {
    return {order.id,
            order.event,
            order.account,
            ReservationState::pending,
            order.seats,
            order.amount,
            now,
            now + order.rules.hold,
            0};
}

inline PaymentRequested payment_request(const Reservation& r) {
    return {OrderId{r.id.bytes}, r.account, r.amount, r.expires};
}

} // namespace urr::ticket
