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
    a.field("seats", v.seats, Limits{.min = 1, .max = 10});
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

struct ReservationList {
    std::vector<ReservationBody> items;
};
template <class Archive>
void describe(Archive& a, ReservationList& v) {
    a.field("items", v.items);
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

struct TicketList {
    std::vector<TicketBody> items;
};
template <class Archive>
void describe(Archive& a, TicketList& v) {
    a.field("items", v.items);
}

struct CreateEventBody {
    std::string title;
    std::optional<std::string> artist;
    std::string venue;
    Instant event_at, sale_start, sale_end;
    std::optional<std::int32_t> seats_per_person;
    std::optional<bool> room;
    std::optional<std::string> layout_template;
    std::optional<Layout> layout;
};
template <class Archive>
void describe(Archive& a, CreateEventBody& v) {
    a.field("title", v.title, Limits{.min = 1, .max = 200});
    a.field("artist", v.artist, Limits{.min = 1, .max = 200});
    a.field("venue", v.venue, Limits{.min = 1, .max = 200});
    a.field("eventAt", v.event_at);
    a.field("saleStartAt", v.sale_start);
    a.field("saleEndAt", v.sale_end);
    a.field("seatsPerPerson", v.seats_per_person, Limits{.min = 1, .max = 10});
    a.field("waitingRoom", v.room);
    a.field("template", v.layout_template, Limits{.min = 1, .max = 20});
    a.field("layout", v.layout);
}

struct EventBody {
    EventId id;
    std::string title, artist, venue, status;
    Instant event_at, sale_start, sale_end;
    std::int64_t seats = 0, free = 0;
    std::int32_t seats_per_person = 0;
    bool published = false, room = false;
};
template <class Archive>
void describe(Archive& a, EventBody& v) {
    a.field("id", v.id);
    a.field("title", v.title);
    a.field("artist", v.artist);
    a.field("venue", v.venue);
    a.field("status", v.status);
    a.field("eventAt", v.event_at);
    a.field("saleStartAt", v.sale_start);
    a.field("saleEndAt", v.sale_end);
    a.field("seats", v.seats);
    a.field("seatsLeft", v.free);
    a.field("seatsPerPerson", v.seats_per_person);
    a.field("published", v.published);
    a.field("waitingRoom", v.room);
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
