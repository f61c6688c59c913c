// How holds reach the store. Where the engine takes arrays, those of an event that arrive while a
// batch of theirs is being written form the next one (store/hold_batch.hpp); elsewhere each is a
// work of its own, and the engine shares the commit.
//
//     Holds holds(database);
//     Held held = TRY(co_await holds.hold(context, order));
//
// A batch whose locks crossed another's, or whose rows another process has just made, is written
// once more. One that meets a lock which somebody keeps (a session of an operator, a process that
// stands still) is taken apart: each hold by itself, so that only who needs that row is refused,
// UNAVAILABLE with a second to wait. Its seats are stuck from then on: they keep out of batches,
// one order at a time tries whether they are free again, and the others are refused at once.
//
// A batch that has been sent is never cancelled: whoever's deadline comes meanwhile is answered
// OUTCOME_UNKNOWN and asks again by his key. One loop, which outlives this.
#pragma once
#include <array>
#include <deque>
#include <map>
#include <memory>

#include "libs/async/nursery.hpp"
#include "libs/telemetry/metrics.hpp"
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

class Holds {
public:
    // More orders than that make a batch slow, and those who wait for it.
    static constexpr std::size_t batch_max = 128;
    // Events are spread over so many lines. A line has one batch under way, since small batches
    // cost more than large ones; a second one when so many wait that it is large too.
    static constexpr std::size_t lines_count = 2, crowd = 64;
    static constexpr std::size_t queued_max = 20'000; // in a line
    // An order of a stuck seat is tried that long after the one before.
    static constexpr Duration stuck_for = seconds(1);
    // Of a batch that is taken apart: after so many that met a lock the rest is refused as well, so
    // that a table that is locked as a whole does not hold up those who come behind.
    static constexpr int locks_met_max = 4;

    // `stuck` counts what is refused because somebody keeps a lock, and outlives this.
    explicit Holds(Database& database, Counter* stuck = nullptr);
    Holds(const Holds&) = delete;
    Holds& operator=(const Holds&) = delete;

    // The answers of hold_seats and of Database::transact. UNAVAILABLE also when somebody keeps a
    // lock that the hold needs.
    Task<Result<Held>> hold(Context context, HoldOrder order);

private:
    struct Wish {
        HoldOrder order;
        Instant deadline;
        bool taken = false;
        Gate answered;
        Result<Held> outcome = fail(Code::OUTCOME_UNKNOWN);

        Wish(HoldOrder what, Instant until) : order(std::move(what)), deadline(until) {}
        void settle(Result<Held> with) {
            outcome = std::move(with);
            answered.open();
        }
    };
    using Wishes = std::vector<std::shared_ptr<Wish>>;
    // Stands ready at the loop when there is a batch to be sent: at the end of the turn, so that
    // what comes within it goes together.
    struct Line : Node {
        Holds* holds = nullptr;
        std::deque<std::shared_ptr<Wish>> queue;
        int under_way = 0;
        Line();
        void look();
    };

    using Seat = std::pair<EventId, std::int64_t>;
    enum class Way : std::uint8_t { together, apart, none };

    void send(Line& line);
    Wishes next_batch(Line& line);
    Task<> write(Line& line, Wishes batch);
    Task<Result<std::vector<Result<Held>>>> write_together(const Wishes& batch);
    Task<> write_apart(Wishes batch);
    Task<> try_stuck(std::shared_ptr<Wish> wish);
    // False: it met a lock that somebody keeps.
    Task<bool> write_one(std::shared_ptr<Wish> wish);
    Way way_of(const HoldOrder& order) const;
    void note(const HoldOrder& order, bool is_stuck);

    std::unexpected<Error> locked();

    Database& database_;
    Counter* const refused_;
    std::map<Seat, Instant> stuck_; // when they are tried again
    bool is_trying_ = false;        // one of them
    std::array<Line, lines_count> lines_;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr::ticket
