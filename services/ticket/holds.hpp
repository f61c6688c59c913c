// How holds reach the store. Where the engine takes arrays, those of an event that arrive while a
// batch of theirs is being written form the next one (store/hold_batch.hpp); elsewhere each is a
// work of its own, and the engine shares the commit.
//
//     Holds holds(database);
//     Held held = TRY(co_await holds.hold(context, order));
//
// A batch that has been sent is never cancelled: whoever's deadline comes meanwhile is answered
// OUTCOME_UNKNOWN and asks again by his key. One loop, which outlives this.
#pragma once
#include <array>
#include <deque>
#include <memory>

#include "libs/async/nursery.hpp"
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

    explicit Holds(Database& database);
    Holds(const Holds&) = delete;
    Holds& operator=(const Holds&) = delete;

    // The answers of hold_seats and of Database::transact.
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

    void send(Line& line);
    static Wishes next_batch(Line& line);
    Task<> write(Line& line, Wishes batch);
    Task<> write_one(std::shared_ptr<Wish> wish);

    Database& database_;
    std::array<Line, lines_count> lines_;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr::ticket
