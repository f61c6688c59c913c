// Delivery: one group's way through one topic of the embedded log. Messages of one key come one
// after the other; different keys at once, up to a bound, so that their effects share commits. A
// key in trouble holds up nobody else: it is tried again with growing pauses, and after
// `attempts_max` refusals parked together with what follows it. A store that cannot answer now
// (UNAVAILABLE, OVERLOADED and the like) is no refusal: the message waits for it.
//
// What the log keeps is the position below which everything is settled. After a crash messages
// above it come again: consumers know them by their ids.
#pragma once
#include <deque>
#include <map>
#include <set>

#include "libs/async/nursery.hpp"
#include "libs/messaging/bell.hpp"
#include "libs/messaging/log_table.hpp"

namespace urr {

class Delivery {
public:
    Delivery(Database& database, Bells& bells, std::string topic, std::string group,
             Consumer& consumer, Duration poll)
        : database_(database), bell_(bells), topic_(std::move(topic)), group_(std::move(group)),
          consumer_(consumer), poll_(poll) {}

    // Until its task is destroyed.
    Task<> run();

private:
    // What waits of one key; the first is being delivered.
    struct Chain {
        std::deque<Logged> waiting;
    };

    Task<> start();
    Task<Result<std::size_t>> fetch();
    Task<> store_position();
    void add(Logged message);
    void pump();
    Task<> run_chain(IdBytes key);
    Task<> settle(const Logged& logged);
    Task<Result<void>> consume(const Message& message);
    // Out of the running ones for a while.
    Task<> pause(int attempt);
    Task<> park(const Logged& logged);
    Task<bool> parked_behind(const Logged& logged);

    Database& database_;
    Bell bell_;
    const std::string topic_, group_;
    Consumer& consumer_;
    const Duration poll_;

    std::int64_t fetched_ = 0; // the last position taken from the log
    std::int64_t stored_ = 0;
    Instant store_at_{}; // of the loop's clock: not every step is worth a commit
    std::set<std::int64_t> unsettled_;
    std::set<IdBytes> parked_;
    std::map<IdBytes, Chain> chains_;
    std::deque<IdBytes> ready_; // chains that wait for their turn
    int running_ = 0;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr
