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
    MessageId awaits;    // HallBegun, until it is read in the log: nobody is let in; zero: it was
    Instant levers_told; // to the log last; zero: they were not, as they stand
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
// The row that holds: the one there is, or this one, which is told with the message it awaits.
Task<Result<HallRecord>> write_hall(Tx& tx, EventId event, HallRecord record);
Task<Result<bool>> write_seen(Tx& tx, EventId event, RoomSeen seen);
// An epoch that the room is in already; it never falls.
Task<Result<std::uint64_t>> raise_epoch(Tx& tx, EventId event, std::uint64_t epoch);

// One pull of a lever, the note of who did it and the news of it, in one transaction.
struct Act {
    EventId event;
    AccountId by;
    Pull pull;
    std::string text; // for the audit
    MessageId id;     // of the note, and of the news
    GenerationId generation;
};
Task<Result<Levers>> write_levers(Tx& tx, Act act);
// What was told of them by an earlier life of the store, or is remembered: of each lever the newest
// pull holds.
Task<Result<Levers>> write_newest_levers(Tx& tx, EventId event, Levers others);
// The levers as they stand, so that the log goes on to have them.
Task<Result<bool>> tell_levers(Tx& tx, GenerationId generation, EventId event, MessageId message);
// The message was read: so were the levers that were pulled before the hall was begun.
Task<Result<bool>> write_awaited(Tx& tx, EventId event, MessageId message);
struct Cleared {
    std::uint64_t epoch = 0;
    std::vector<RevokedEntry> revoked;
};
// Ends every member, and tells of those inside under the ids of their entries, so that a lost store
// does not let them in again; the epoch rises to at least `epoch`.
Task<Result<Cleared>> write_clear(Tx& tx, Act act, std::uint64_t epoch);
// One that the store has forgotten, if it has: the epoch rises to this one.
Task<Result<Cleared>> write_clear_again(Tx& tx, GenerationId generation, EventId event,
                                        std::uint64_t epoch);

struct DoneAct {
    Instant at;
    AccountId by;
    std::string text;
};
// The latest first.
Task<Result<std::vector<DoneAct>>> read_acts(Tx& tx, EventId event, std::int64_t most);

} // namespace urr::queue
