// What queue tells on queue-events: who was let in and how that ended. Statistics count them; queue
// itself reads them again when its store was lost, so each carries the place that it spends. Keyed
// by account: one account's events keep their order.
#pragma once
#include "libs/core/json.hpp"

namespace urr {

inline constexpr std::string_view topic_queue = "queue-events";

using EntryId = Id<struct EntryKind>;           // the jti of an entry token
using ReceiptId = Id<struct ReceiptKind>;       // the jti of a waiting-room token; zero: no room
using GenerationId = Id<struct GenerationKind>; // a life of queue's store

struct EntryAdmitted {
    static constexpr std::string_view type = "Admitted";
    static constexpr bool open = true;
    GenerationId generation;
    EventId event;
    AccountId account;
    EntryId entry;
    ReceiptId receipt;
    std::uint64_t epoch = 0;
    std::uint32_t phase = 0;
    std::uint64_t position = 0, arrival = 0;
    Instant admitted, until;
};
template <class Archive>
void describe(Archive& a, EntryAdmitted& v) {
    a.field("generation", v.generation);
    a.field("eventId", v.event);
    a.field("accountId", v.account);
    a.field("entryId", v.entry);
    a.field("receiptId", v.receipt);
    a.field("epoch", v.epoch);
    a.field("phase", v.phase);
    a.field("position", v.position);
    a.field("arrival", v.arrival);
    a.field("admittedAt", v.admitted);
    a.field("until", v.until);
}

// The slot is over and the place is spent. `reason`: left, bought, expired, cleared.
struct EntryEnded {
    static constexpr std::string_view type = "Ended";
    static constexpr bool open = true;
    GenerationId generation;
    EventId event;
    AccountId account;
    std::string reason;
    std::uint64_t epoch = 0;
    std::uint32_t phase = 0;
    std::uint64_t position = 0, arrival = 0;
};
template <class Archive>
void describe(Archive& a, EntryEnded& v) {
    a.field("generation", v.generation);
    a.field("eventId", v.event);
    a.field("accountId", v.account);
    a.field("reason", v.reason);
    a.field("epoch", v.epoch);
    a.field("phase", v.phase);
    a.field("position", v.position);
    a.field("arrival", v.arrival);
}

// The entry was not fetched in time and is revoked; the place is kept.
struct EntryReturned {
    static constexpr std::string_view type = "Returned";
    static constexpr bool open = true;
    GenerationId generation;
    EventId event;
    AccountId account;
    EntryId entry;
};
template <class Archive>
void describe(Archive& a, EntryReturned& v) {
    a.field("generation", v.generation);
    a.field("eventId", v.event);
    a.field("accountId", v.account);
    a.field("entryId", v.entry);
}

// Queue's store began anew: what stands before it in the log was told by an earlier one.
struct GenerationBegun {
    static constexpr std::string_view type = "GenerationBegun";
    static constexpr bool open = true;
    GenerationId generation;
};
template <class Archive>
void describe(Archive& a, GenerationBegun& v) {
    a.field("generation", v.generation);
}

} // namespace urr
