// Chains: how the messages of one delivery reach their consumer, whichever engine they come from.
// Messages of one key come one after the other; different keys at once, up to a bound, so that
// their effects share commits. A key in trouble holds up nobody else: it is tried again with
// growing pauses, and after `attempts_max` refusals parked together with what follows it. A store
// that cannot answer now (UNAVAILABLE, OVERLOADED and the like) is no refusal: the message waits
// for it.
//
// The owner keeps what is parked and how far the group has come. One loop.
#pragma once
#include <deque>
#include <map>
#include <set>

#include "libs/async/nursery.hpp"
#include "libs/messaging/message.hpp"

namespace urr {

// A message with its place in the log.
struct Logged {
    std::int64_t position = 0;
    Message message;
    int partition = 0;
};

// What differs by engine.
class ChainOwner {
public:
    // It took effect or is parked.
    virtual void settled(const Logged& logged) = 0;
    // A chain has ended: there may be room.
    virtual void chain_ended() = 0;
    virtual Task<Result<bool>> park(const Logged& logged) = 0;
    // Parks it when another of its key is parked still; false: none is, deliver it.
    virtual Task<Result<bool>> park_behind(const Logged& logged) = 0;

protected:
    ~ChainOwner() = default;
};

class Chains {
public:
    // `poll`: how long to wait for a store that cannot park now.
    Chains(ChainOwner& owner, Consumer& consumer, Duration poll)
        : owner_(owner), consumer_(consumer), poll_(poll) {}

    // Its key stands parked, as the owner read at the start.
    void note_parked(const std::vector<IdBytes>& keys) { parked_.insert(keys.begin(), keys.end()); }
    void add(Logged message);
    // After some were added.
    void pump();
    // The partition goes to another member: what waits is dropped, what runs is not tried again.
    void abandon(int partition);
    // Something of it is with its consumer or being parked.
    bool busy(int partition) const;

private:
    struct Chain {
        Logged running;
        bool busy = false, abandoned = false;
        std::deque<Logged> waiting;
    };

    Task<> run_chain(IdBytes key);
    Task<bool> settle(Chain& chain);
    Task<Result<void>> consume(const Message& message);
    // Out of the running ones for a while.
    Task<> pause(Chain& chain, int attempt);
    Task<bool> park(const Chain& chain);
    Task<bool> parked_behind(const Logged& logged);

    ChainOwner& owner_;
    Consumer& consumer_;
    const Duration poll_;
    std::set<IdBytes> parked_;
    std::map<IdBytes, Chain> chains_;
    std::deque<IdBytes> ready_; // chains that wait for their turn
    int running_ = 0;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr
