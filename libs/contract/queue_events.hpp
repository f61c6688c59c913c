// What queue tells on queue-events: who was let in and how that ended. Statistics count them; queue
// itself reads them again when its store was lost, so each carries the place that it spends. Keyed
// by account: one account's events keep their order. What is told of an event as a whole (levers,
// HallBegun) is seldom and keyed by the event.
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

// How an event's levers stand: told with each pull, and again from time to time, so that the log
// always has them. Of each lever the value with the highest pull holds, in whichever order they are
// read. Told with a clear too, which nothing but the epoch shows.
struct LeversPulled {
    static constexpr std::string_view type = "LeversPulled";
    static constexpr bool open = true;
    GenerationId generation;
    EventId event;
    AccountId account; // who pulled; zero: they are told again
    std::uint64_t epoch = 0;
    std::int64_t threshold = 0, per_second = 0;
    bool paused = false;
    std::string state, message;
    // The number of each one's last pull, higher than all before; 0: it was never pulled.
    std::uint64_t threshold_pull = 0, per_second_pull = 0, paused_pull = 0, state_pull = 0,
                  message_pull = 0;
};
template <class Archive>
void describe(Archive& a, LeversPulled& v) {
    a.field("generation", v.generation);
    a.field("eventId", v.event);
    a.field("accountId", v.account);
    a.field("epoch", v.epoch);
    a.field("threshold", v.threshold);
    a.field("perSecond", v.per_second);
    a.field("paused", v.paused);
    a.field("state", v.state);
    a.field("message", v.message);
    a.field("thresholdPull", v.threshold_pull);
    a.field("perSecondPull", v.per_second_pull);
    a.field("pausedPull", v.paused_pull);
    a.field("statePull", v.state_pull);
    a.field("messagePull", v.message_pull);
}

// Queue's store knows the event anew: who has read this has read all levers that were pulled before
// (they have the same key). Until then nobody is let in.
struct HallBegun {
    static constexpr std::string_view type = "HallBegun";
    static constexpr bool open = true;
    GenerationId generation;
    EventId event;
};
template <class Archive>
void describe(Archive& a, HallBegun& v) {
    a.field("generation", v.generation);
    a.field("eventId", v.event);
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
