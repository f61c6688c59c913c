// Locks of seats that all processes of ticket share in Redis. Each has all of them in memory, so
// that asking costs nothing, and hears of new ones as they come; what a process did is told after
// its commit, many in one script, off the way of whoever holds. `seat-lock:{eventId}` keeps them
// for those that begin later or were cut off: a field per seat with fence, state, holder and end.
// The script takes no fence that is not higher than what is there.
//
//     SharedSeatLocks locks(redis);
//     jobs.spawn(locks.run());
//
// At each new connection all that is there is read and what it lacks is told, event by event, the
// newest first, in pages that keep Redis from nobody; an event that fails has its turn again behind
// the others, after a pause.
//
// Redis away, slow or hanging: nothing waits for it; others' holds are not heard of, so that clicks
// at them come to the store. Redis emptied or another one: each process tells again what it knows,
// at each new connection. Redis with locks of the past (a failover): their fences are lower than
// the rows'. No seat is sold by any of that, and none is kept from anybody for longer than a look
// at the rows takes. One loop.
#pragma once
#include <deque>

#include "libs/redis/redis.hpp"
#include "services/ticket/seat_locks.hpp"

namespace urr::ticket {

class SharedSeatLocks final : public SeatLocks {
public:
    static constexpr std::size_t untold_max = 100'000; // further ones are known here alone
    static constexpr std::size_t told_at_once = 128;

    explicit SharedSeatLocks(Redis& redis);
    // Tells what was done here, and reads and tells all at each new connection.
    Task<> run();

private:
    struct Untold {
        EventId event;
        SeatNews news;
    };
    void tell(const EventId& event, const SeatNews& news) override;
    void take_back(const EventId& event, const SeatNews& news) override;
    void heard(std::string_view message);
    static std::vector<SeatNews> next_of(std::deque<Untold>& all);
    Task<Result<void>> send();
    Task<Result<void>> send_void();
    Task<Result<std::vector<Reply>>> scan(std::string_view how, std::string key,
                                          std::string& cursor);
    Task<Result<void>> read(EventId event);
    Task<Result<void>> read_locks(EventId event);
    Task<Result<void>> read_holders(EventId event);
    void tell_what_is_missing(const EventId& event,
                              const std::unordered_map<std::int64_t, std::int64_t>& fences);
    void read_all_again();
    Task<> run_reading();
    Task<> run_telling();

    Redis& redis_;
    std::deque<Untold> untold_;
    std::deque<Untold> void_;    // to be taken back
    std::deque<EventId> unread_; // since the last connection
    Gate news_;
    std::uint64_t read_at_connect_ = 0; // how many connections there had been
    std::unique_ptr<RedisSubscription> subscription_;
};

} // namespace urr::ticket
