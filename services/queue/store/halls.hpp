// What is kept of an event besides its line: the epoch, the levers, what was last seen of the
// waiting room; and the generation of the store itself. Works for `transact`.
#pragma once
#include "libs/contract/queue_events.hpp"
#include "libs/sql/database.hpp"
#include "services/queue/domain/levers.hpp"
#include "services/queue/store/members.hpp"

namespace urr::queue {

// The waiting room as it last answered. It goes with every report, so that a room whose store was
// lost knows which numbers are about.
struct RoomSeen {
    std::uint64_t epoch = 0;
    std::uint32_t phase = 0;
    std::uint64_t next = 0; // 0: never seen
    std::uint64_t serving = 0, voids_served = 0;
    std::int64_t waiting = 0;
};

struct HallRecord {
    std::uint64_t epoch = 0;
    Instant admits_from; // nobody is let in before: places are gathered
    Levers levers;
    RoomSeen seen;
};

// This life of the store; `fresh` is noted where there is none, and told to the log.
struct Generation {
    GenerationId id;
    bool log_read = false; // what earlier lives told is taken over
    std::vector<RevokedEntry> revoked;
    Instant now;
};
Task<Result<Generation>> open_generation(Tx& tx, GenerationId fresh, MessageId message);
Task<Result<bool>> write_log_read(Tx& tx);

Task<Result<std::optional<HallRecord>>> read_hall(Tx& tx, EventId event);
// The row that holds: the one there is, or this one.
Task<Result<HallRecord>> write_hall(Tx& tx, EventId event, HallRecord record);
Task<Result<bool>> write_seen(Tx& tx, EventId event, RoomSeen seen);
// An epoch that the room is in already; it never falls.
Task<Result<std::uint64_t>> raise_epoch(Tx& tx, EventId event, std::uint64_t epoch);

// One pull of a lever and the note of who did it, in one transaction.
struct Act {
    EventId event;
    AccountId by;
    Pull pull;
    std::string text; // for the audit
    MessageId id;
};
Task<Result<Levers>> write_levers(Tx& tx, Act act);
struct Cleared {
    std::uint64_t epoch = 0;
    std::vector<RevokedEntry> revoked;
};
// Ends every member; the epoch rises to at least `epoch`.
Task<Result<Cleared>> write_clear(Tx& tx, Act act, std::uint64_t epoch);

struct DoneAct {
    Instant at;
    AccountId by;
    std::string text;
};
// The latest first.
Task<Result<std::vector<DoneAct>>> read_acts(Tx& tx, EventId event, std::int64_t most);

} // namespace urr::queue
