// Revoked ids that several processes share in Redis: a sorted set per group holds them until they
// expire. Each process has all of them in memory, so that asking costs nothing; it reads them when
// it begins, hears of new ones as they come, and reads anew after each lost connection.
//
//     RevokedEntries revoked;
//     SharedRevokedIds shared(redis, clock, revoked);
//     jobs.spawn(shared.run());
//     TRY(co_await shared.read(context));        // before the first id is believed
//
// Redis away: what is revoked here is known here at once and elsewhere when Redis is back. Redis
// emptied: every process writes again what it knows. What nobody knows any more is believed until
// it expires. One loop.
#pragma once
#include <deque>

#include "libs/contract/revoked_ids.hpp"
#include "libs/core/clock.hpp"
#include "libs/redis/redis.hpp"

namespace urr {

class SharedRevokedIds {
public:
    static constexpr std::size_t untold_max = 100'000; // further ones: at the next connection

    SharedRevokedIds(Redis& redis, const Clock& clock, RevokedIds& ids);
    ~SharedRevokedIds() { ids_.listen(nullptr); }
    SharedRevokedIds(const SharedRevokedIds&) = delete;
    SharedRevokedIds& operator=(const SharedRevokedIds&) = delete;
    // All that is known in Redis; what only this process knows is told there.
    Task<Result<void>> read(Context context);
    // Tells what was revoked here, follows Redis from one life to the next, and prunes.
    Task<> run();

private:
    struct Untold {
        RevokedIds::Key key;
        Instant until;
    };
    std::string key_of(const IdBytes& group) const;
    void heard(std::string_view message);
    void prune();
    Task<Result<void>> tell(Context context, Untold one);
    // Takes what it finds out of `untold`.
    Task<Result<void>> read_group(Context context, IdBytes group, RevokedIds::Known& untold);

    Redis& redis_;
    const Clock& clock_;
    RevokedIds& ids_;
    const std::string channel_, groups_key_; // the latter by the last expiry
    std::deque<Untold> untold_;
    std::uint64_t read_at_connect_ = 0; // how many connections there had been
    Instant pruned_;
    std::unique_ptr<RedisSubscription> subscription_;
};

} // namespace urr
