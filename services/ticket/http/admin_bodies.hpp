// The bodies of an organizer's requests and answers (api/openapi.yaml).
#pragma once
#include "services/ticket/service.hpp"

namespace urr::ticket {

// What may be left out, both when an event is made and when it is changed.
struct EventExtras {
    std::optional<std::string> artist, address, description;
    std::optional<std::int32_t> seats_per_person;
    std::optional<std::int64_t> hold_seconds;
    std::optional<bool> room;
    std::optional<std::string> layout_template;
    std::optional<Layout> layout;
};
template <class Archive>
void describe_extras(Archive& a, EventExtras& v) {
    a.field("artist", v.artist, Limits{.max = 200});
    a.field("address", v.address, Limits{.max = 300});
    a.field("description", v.description, Limits{.max = 10'000});
    a.field("seatsPerPerson", v.seats_per_person,
            Limits{.min = 1, .max = std::int64_t(seats_per_reservation_max)});
    a.field("holdSeconds", v.hold_seconds, Limits{.min = 60, .max = 3'600});
    a.field("waitingRoom", v.room);
    a.field("template", v.layout_template, Limits{.min = 1, .max = 20});
    a.field("layout", v.layout);
}

template <class Archive, class Body>
void describe_essentials(Archive& a, Body& v) {
    constexpr Limits line{.min = 1, .max = 200};
    a.field("title", v.title, line);
    a.field("venue", v.venue, line);
    a.field("eventAt", v.event_at);
    a.field("saleStartAt", v.sale_start);
    a.field("saleEndAt", v.sale_end);
}

struct CreateEventBody {
    std::string title, venue;
    Instant event_at, sale_start, sale_end;
    EventExtras extras;
};
template <class Archive>
void describe(Archive& a, CreateEventBody& v) {
    describe_essentials(a, v);
    describe_extras(a, v.extras);
}

struct ChangeEventBody {
    std::optional<std::string> title, venue;
    std::optional<Instant> event_at, sale_start, sale_end;
    EventExtras extras;
};
template <class Archive>
void describe(Archive& a, ChangeEventBody& v) {
    describe_essentials(a, v);
    describe_extras(a, v.extras);
}

struct EventBody {
    EventId id;
    std::string title, artist, venue, address, description, status;
    Instant event_at, sale_start, sale_end;
    std::int64_t seats = 0, free = 0, under_way = 0, hold_seconds = 0, version = 0;
    std::int32_t seats_per_person = 0;
    bool published = false, room = false, frozen = false;
    std::vector<Grade> grades;
    std::optional<std::string> poster;
};
template <class Archive>
void describe(Archive& a, EventBody& v) {
    a.field("id", v.id);
    a.field("title", v.title);
    a.field("artist", v.artist);
    a.field("venue", v.venue);
    a.field("address", v.address);
    a.field("description", v.description);
    a.field("status", v.status);
    a.field("eventAt", v.event_at);
    a.field("saleStartAt", v.sale_start);
    a.field("saleEndAt", v.sale_end);
    a.field("seats", v.seats);
    a.field("seatsLeft", v.free);
    a.field("seatsUnderWay", v.under_way);
    a.field("seatsPerPerson", v.seats_per_person);
    a.field("holdSeconds", v.hold_seconds);
    a.field("published", v.published);
    a.field("frozen", v.frozen);
    a.field("waitingRoom", v.room);
    a.field("grades", v.grades);
    a.field("poster", v.poster);
    a.field("version", v.version);
}

struct AuditBody {
    MessageId id;
    Instant at;
    AccountId account;
    std::string act;
    EventId subject;
    std::string detail;
};
template <class Archive>
void describe(Archive& a, AuditBody& v) {
    a.field("id", v.id);
    a.field("at", v.at);
    a.field("accountId", v.account);
    a.field("act", v.act);
    a.field("subjectId", v.subject);
    a.field("detail", v.detail);
}

} // namespace urr::ticket
