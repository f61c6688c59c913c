// What services tell each other by events (api/asyncapi.yaml). Each type says who tells it whom.
// Readable by the version before and after: unknown members are passed over.
#pragma once
#include "libs/core/json.hpp"

namespace urr {

inline constexpr std::string_view topic_payment = "payment-events"; // ticket → payment, queue
inline constexpr std::string_view topic_reservation = "reservation-events"; // payment → ticket

// ticket asks for money. An order is a reservation today; memberships and the rest come later.
struct PaymentRequested {
    static constexpr std::string_view type = "PaymentRequested";
    static constexpr bool open = true;
    OrderId order;
    AccountId account;
    Won amount;
    Instant expires;
};
template <class Archive>
void describe(Archive& a, PaymentRequested& v) {
    a.field("orderId", v.order);
    a.field("accountId", v.account);
    a.field("amount", v.amount);
    a.field("expiresAt", v.expires);
}

// The order has ended without payment; an intent that is not captured ends with it.
struct PaymentWithdrawn {
    static constexpr std::string_view type = "PaymentWithdrawn";
    static constexpr bool open = true;
    OrderId order;
};
template <class Archive>
void describe(Archive& a, PaymentWithdrawn& v) {
    a.field("orderId", v.order);
}

// Money for an order that could not take it any more: give it back.
struct RefundRequested {
    static constexpr std::string_view type = "RefundRequested";
    static constexpr bool open = true;
    OrderId order;
    PaymentId payment;
};
template <class Archive>
void describe(Archive& a, RefundRequested& v) {
    a.field("orderId", v.order);
    a.field("paymentId", v.payment);
}

// A reservation is paid and its tickets exist: told by ticket on payment-events, keyed by the
// reservation. queue ends the buyer's slot and entry with it.
struct ReservationConfirmed {
    static constexpr std::string_view type = "ReservationConfirmed";
    static constexpr bool open = true;
    ReservationId reservation;
    EventId event;
    AccountId account;
    std::int64_t seats = 0;
    Won amount;
};
template <class Archive>
void describe(Archive& a, ReservationConfirmed& v) {
    a.field("reservationId", v.reservation);
    a.field("eventId", v.event);
    a.field("accountId", v.account);
    a.field("seats", v.seats);
    a.field("amount", v.amount);
}

// payment's outcomes; `fence` is the one that begin-payment gave for the attempt.
struct PaymentCaptured {
    static constexpr std::string_view type = "PaymentCaptured";
    static constexpr bool open = true;
    OrderId order;
    PaymentId payment;
    std::int64_t fence = 0;
    Won amount;
};
template <class Archive>
void describe(Archive& a, PaymentCaptured& v) {
    a.field("orderId", v.order);
    a.field("paymentId", v.payment);
    a.field("fence", v.fence);
    a.field("amount", v.amount);
}

struct PaymentFailed {
    static constexpr std::string_view type = "PaymentFailed";
    static constexpr bool open = true;
    OrderId order;
    std::int64_t fence = 0;
    bool declined = false; // the fan may try again; otherwise the order has failed
};
template <class Archive>
void describe(Archive& a, PaymentFailed& v) {
    a.field("orderId", v.order);
    a.field("fence", v.fence);
    a.field("declined", v.declined);
}

// Money was given back.
struct PaymentRefunded {
    static constexpr std::string_view type = "PaymentRefunded";
    static constexpr bool open = true;
    OrderId order;
    PaymentId payment;
    Won amount;
};
template <class Archive>
void describe(Archive& a, PaymentRefunded& v) {
    a.field("orderId", v.order);
    a.field("paymentId", v.payment);
    a.field("amount", v.amount);
}

// What begin-payment answers (ticket, by REST).
struct BegunPayment {
    static constexpr bool open = true;
    std::int64_t fence = 0;
    Won amount;
    AccountId account;
};
template <class Archive>
void describe(Archive& a, BegunPayment& v) {
    a.field("fence", v.fence);
    a.field("amount", v.amount);
    a.field("accountId", v.account);
}

} // namespace urr
