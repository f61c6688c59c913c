// One event as queue has it in memory: its line, its levers, who listens. One loop; what is here
// follows the store and is never ahead of it, but for signs of life.
#pragma once
#include "services/queue/audience.hpp"
#include "services/queue/domain/pace.hpp"
#include "services/queue/store/halls.hpp"

namespace urr::queue {

// What queue must know of an event.
struct EventFacts {
    bool room = false;                              // a waiting room stands before it
    bool on_sale = false;                           // its time has come and it is not over
    bool over = false;                              // its time has passed
    std::int64_t free = 0, under_way = 0, sold = 0; // seats, without blocked ones
    bool sold_out() const { return free + under_way == 0; }
    // Who still waits gets nothing any more.
    bool nothing_left() const { return over || sold_out(); }
};

// The published events, as catalog tells of them.
class Events {
public:
    virtual ~Events() = default;
    // NOT_FOUND; UNAVAILABLE while nothing was heard at all.
    virtual Result<EventFacts> find(const EventId& event) const = 0;
    virtual std::vector<EventId> published() const = 0;
    // Hears anew, unless that was done a moment ago.
    virtual Task<Result<void>> refresh(Context context) = 0;
};

struct Hall {
    explicit Hall(std::shared_ptr<StreamLimit> limit) : audience(std::move(limit)) {}

    bool known = false;        // the store was read
    bool had_levers = false;   // `levers` were read from it once
    std::uint64_t version = 0; // of a shared line: what memory has followed
    Instant seen_until;        // signs of life given to others have been taken over
    bool our_turn = true;      // its background work is this process's
    bool had_turn = false;     // so it was at the last tick, of a shared line
    Line line;
    Levers levers;
    std::uint64_t epoch = 0, sequence = 0;
    Instant admits_from; // of a store that was lost; zero: it was not
    MessageId awaits;    // of HallBegun, until the log has told it; zero: it has
    Instant levers_told; // to the log
    RoomSeen seen;
    Pace pace;
    Instant ticked;
    Audience audience;
    std::uint64_t frame_number = 0;
    Frame frame; // the latest, without listeners the one before they left

    bool room_stands(const EventFacts& facts) const {
        return facts.room && levers.room != RoomLever::off;
    }
    // Nobody is let in until the places that are about had time to be shown, and the log has told
    // which levers were pulled.
    bool recovering(Instant now, bool log_read) const {
        return !known || !awaits.is_zero() || now < admits_from ||
               (admits_from != Instant{} && !log_read);
    }
    void take(const HallRecord& record) {
        levers = record.levers;
        admits_from = record.admits_from;
        awaits = record.awaits;
        levers_told = record.levers_told;
    }
    Rules rules(Rules given) const {
        given.threshold = levers.threshold;
        return given;
    }
};

} // namespace urr::queue
