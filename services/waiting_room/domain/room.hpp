// A room's rules: which state it is in, whose report counts, which positions are leased, how fast
// the line is served. Queue steers it by reports; the keeper (keeper.hpp) drives it, writes it down
// and shows it to the loops.
//
//     off       nobody waits: whoever asks is let through, without a place
//     prequeue  places are given, nobody is served yet
//     open      places are given and served
//     paused    places are given, serving stands still; who was served stays so
//     soldOut   no more places; those who wait are told, and keep theirs for a reopening
//
// Any state may follow any other; what counts is that the report is newer: (epoch, sequence) must
// rise. A higher epoch is a reset: the line begins anew and older receipts end. The phase never
// falls within an epoch. A report also tells what the reporter last saw of the room: a room that is
// behind that has lost its store, and goes on in a new phase behind all numbers that are about.
// Pure: no clock, no I/O; times are those of the caller's loop.
#pragma once
#include <optional>
#include <string_view>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"
#include "services/waiting_room/domain/advancer.hpp"
#include "services/waiting_room/domain/lease_size.hpp"
#include "services/waiting_room/domain/line.hpp"

namespace urr::waiting_room {

enum class RoomState : std::uint8_t { off, prequeue, open, paused, sold_out };
inline constexpr std::size_t room_states = 5;
std::string_view room_state_name(RoomState state);
std::optional<RoomState> parse_room_state(std::string_view name);

inline bool gives_places(RoomState state) {
    return state != RoomState::off && state != RoomState::sold_out;
}

// The room as the reporter last saw it.
struct SeenRoom {
    std::uint16_t phase = 0;
    std::uint64_t next = 1;
    std::uint64_t serving = 0;
    std::uint64_t voids_served = 0;
};

struct Report {
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    RoomState state = RoomState::off;
    std::optional<std::uint32_t> rate_per_minute; // absent: the base rate
    bool sold_out = false;                        // overrules the state
    std::optional<std::uint16_t> phase;           // absent: as it was
    std::optional<SeenRoom> seen;
    RoomState effective() const { return sold_out ? RoomState::sold_out : state; }
};

// What of a room is kept in the store, besides its leases.
struct RoomRecord {
    EventId event;
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    RoomState state = RoomState::off;
    std::uint16_t phase = 0;
    std::optional<std::uint32_t> rate_per_minute;
    std::uint64_t next = 1; // the high-water mark: every leased position is below it
    std::uint64_t serving = 0;
    std::uint64_t voids_served = 0;
    std::uint64_t phase_first = 1; // the first position of the phase
    bool operator==(const RoomRecord&) const = default;
};

struct LeaseBlock {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t voids_before = 0;
    std::uint16_t phase = 0;
    Instant since; // of the loop's clock
};

// `repeated`: the very report that was obeyed last, sent again because its answer was lost.
enum class Steered : std::uint8_t { stale, repeated, kept, changed, reset };

class Room {
public:
    Room(EventId event, const RateRule& rule) : rule_(rule), advancer_(rule) {
        record_.event = event;
    }
    // After a restart; then add_void for each known void after `serving`, in order.
    Room(const RoomRecord& record, const RateRule& rule)
        : rule_(rule), record_(record), line_(record.next, record.serving, record.voids_served),
          advancer_(rule) {}
    void add_void(Line::Void range) { line_.add_void(range); }

    // Must the lease that is out be ended before this report is applied?
    bool ends_lease(const Report& report) const;
    Steered steer(const Report& report, Instant now);

    // Positions for the next second; the lease before must be closed. nullptr: no places are given.
    const LeaseBlock* lease(Instant now);
    // The lease is written down; its second begins.
    void lease_opens(Instant now) { lease_->since = now; }
    // The lease is over and `used` of its positions were given out.
    void close_lease(std::uint64_t used, Instant now);
    const LeaseBlock* leased() const { return lease_ ? &*lease_ : nullptr; }

    // One second has passed; `given` positions of the current lease are out. True: serving moved.
    bool step(Instant now, std::uint64_t given);
    // The holder of a served position fetched the token.
    void came(std::uint64_t position) { advancer_.came(position); }

    RoomState state() const { return record_.state; }
    std::uint64_t epoch() const { return record_.epoch; }
    // In force now, people a minute.
    std::uint32_t rate(Instant now) const;
    const Line& line() const { return line_; }
    std::uint64_t no_shows() const { return advancer_.no_shows(); }
    RoomRecord record() const;

    bool newer(const Report& report) const;
    // Are numbers about that this room does not know of?
    bool lost(const Report& report) const;

private:
    void go_on_behind(const SeenRoom& seen);

    RateRule rule_;
    RoomRecord record_; // next, serving and voids_served stand in line_
    Line line_;
    Advancer advancer_;
    LeaseSize size_;
    std::optional<LeaseBlock> lease_;
    std::optional<Instant> reported_at_; // of the loop's clock
};

} // namespace urr::waiting_room
