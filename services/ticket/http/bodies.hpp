// The bodies of ticket's requests and answers (api/openapi.yaml).
#pragma once
#include "services/ticket/service.hpp"

namespace urr::ticket {

struct ReserveBody {
    EventId event;
    std::vector<std::int64_t> seats;
};
template <class Archive>
void describe(Archive& a, ReserveBody& v) {
    a.field("eventId", v.event);
    a.field("seats", v.seats, Limits{.min = 1, .max = std::int64_t(seats_per_reservation_max)});
}

struct BestBody {
    std::int64_t count = 0;
    std::optional<std::string> grade;
};
template <class Archive>
void describe(Archive& a, BestBody& v) {
    a.field("count", v.count, Limits{.min = 1, .max = 10});
    a.field("grade", v.grade, Limits{.min = 1, .max = 20});
}

struct ReservationBody {
    ReservationId id;
    EventId event;
    std::string state;
    std::vector<std::int64_t> seats;
    std::vector<std::string> labels;
    Won amount;
    std::string currency = currency_krw;
    Instant created, expires;
};
template <class Archive>
void describe(Archive& a, ReservationBody& v) {
    a.field("id", v.id);
    a.field("eventId", v.event);
    a.field("state", v.state);
    a.field("seats", v.seats);
    a.field("labels", v.labels);
    a.field("amount", v.amount);
    a.field("currency", v.currency);
    a.field("createdAt", v.created);
    a.field("expiresAt", v.expires);
}

struct TicketBody {
    TicketId id;
    ReservationId reservation;
    EventId event;
    std::int64_t seat = 0;
    std::string label, state, code;
};
template <class Archive>
void describe(Archive& a, TicketBody& v) {
    a.field("id", v.id);
    a.field("reservationId", v.reservation);
    a.field("eventId", v.event);
    a.field("seat", v.seat);
    a.field("label", v.label);
    a.field("state", v.state);
    a.field("code", v.code);
}

struct BeginBody {
    PaymentId attempt;
};
template <class Archive>
void describe(Archive& a, BeginBody& v) {
    a.field("attemptId", v.attempt);
}

struct OrderBody {
    static constexpr bool open = true;
    AccountId account;
    Won amount;
    Instant expires;
    std::string state;
};
template <class Archive>
void describe(Archive& a, OrderBody& v) {
    a.field("accountId", v.account);
    a.field("amount", v.amount);
    a.field("expiresAt", v.expires);
    a.field("state", v.state);
}

} // namespace urr::ticket
