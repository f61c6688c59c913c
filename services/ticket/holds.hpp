// How holds reach the store. Where the engine takes arrays, those that arrive while a batch is
// being written form the next one (store/hold_batch.hpp); elsewhere each is a work of its own, and
// the engine shares the commit.
//
//     Holds holds(database);
//     Held held = TRY(co_await holds.hold(context, order));
//
// A batch that has been sent is never cancelled: whoever's deadline comes meanwhile is answered
// OUTCOME_UNKNOWN and asks again by his key. One loop, which outlives this.
#pragma once
#include <deque>
#include <memory>

#include "libs/async/nursery.hpp"
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

class Holds {
public:
    // More orders than that make a batch slow, and those who wait for it.
    static constexpr std::size_t batch_max = 128;
    static constexpr int under_way_max = 2;
    static constexpr std::size_t queued_max = 20'000;

    explicit Holds(Database& database) : database_(database) {}
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

    void send();
    Wishes next_batch();
    Task<> write(Wishes batch);
    Task<> write_one(std::shared_ptr<Wish> wish);

    Database& database_;
    std::deque<std::shared_ptr<Wish>> queue_;
    int under_way_ = 0;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr::ticket
