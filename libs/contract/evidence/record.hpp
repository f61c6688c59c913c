// Evidence: what queue and ticket tell the ledger of an event, by way of the work queue. A message
// is text in lines: a header, then one record a line. Records of one event and source are numbered
// without a gap; the reader keeps a line as it came, so what a newer version says is not lost.
//
//     {"version":1,"eventId":"…","source":"ticket","generation":"…","first":17,"records":2}
//     {"id":"…","kind":"held","at":"…","accountId":"…","reservationId":"…","seats":[4,5],…}
//     {"id":"…","kind":"paid","at":"…","accountId":"…","reservationId":"…",…}
//
// Accounts are pseudonyms: who stands behind one is known to auth alone.
#pragma once
#include "libs/core/json.hpp"

namespace urr {

// A life of a source's numbering: begins anew with its store.
using EvidenceGeneration = Id<struct EvidenceGenerationKind>;

struct EvidenceHeader {
    static constexpr bool open = true;
    std::int64_t version = 1;
    EventId event;
    std::string source; // "queue" or "ticket"
    EvidenceGeneration generation;
    std::int64_t first = 1;   // the number of the first record
    std::int64_t records = 0; // how many lines follow
};
template <class Archive>
void describe(Archive& a, EvidenceHeader& v) {
    a.field("version", v.version, Limits{.min = 1});
    a.field("eventId", v.event);
    a.field("source", v.source, Limits{.min = 1, .max = 32});
    a.field("generation", v.generation);
    a.field("first", v.first, Limits{.min = 1});
    a.field("records", v.records, Limits{.min = 1, .max = 10'000});
}

namespace evidence {
inline constexpr std::string_view admitted = "admitted"; // let in to the seats
inline constexpr std::string_view returned = "returned"; // entry not fetched: the place is kept
inline constexpr std::string_view held = "held";         // a reservation was made
inline constexpr std::string_view released = "released"; // it lapsed or was cancelled
inline constexpr std::string_view paid = "paid";         // its tickets exist
inline constexpr std::string_view refund = "refund";     // money that no reservation took
} // namespace evidence

struct EvidenceRecord {
    static constexpr bool open = true;
    MessageId id; // of the message that told it: the same fact has the same id
    std::string kind;
    Instant at;
    std::optional<AccountId> account;
    std::optional<ReservationId> reservation;
    std::optional<std::vector<std::int64_t>> seats;
    std::optional<Won> amount;
    std::optional<PaymentId> payment;
    std::optional<std::int64_t> epoch, phase, position; // of the place that an admission spends
    std::optional<Instant> until;
};
template <class Archive>
void describe(Archive& a, EvidenceRecord& v) {
    a.field("id", v.id);
    a.field("kind", v.kind, Limits{.min = 1, .max = 32});
    a.field("at", v.at);
    a.field("accountId", v.account);
    a.field("reservationId", v.reservation);
    a.field("seats", v.seats);
    a.field("amount", v.amount);
    a.field("paymentId", v.payment);
    a.field("epoch", v.epoch);
    a.field("phase", v.phase);
    a.field("position", v.position);
    a.field("until", v.until);
}

} // namespace urr
