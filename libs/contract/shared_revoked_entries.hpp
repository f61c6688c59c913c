// Revoked entry tokens that several processes share in Redis: `{eventId}:revoked` holds them until
// they expire. Each process has all of them in memory, so that asking costs nothing; it reads them
// when it begins, hears of new ones as they come, and reads anew after each lost connection.
//
//     SharedRevokedEntries revoked(redis, clock);
//     jobs.spawn(revoked.run());
//     TRY(co_await revoked.read(context));       // before the first token is believed
//
// Redis away: what is revoked here is known here at once and elsewhere when Redis is back. Redis
// emptied: every process writes again what it knows. What nobody knows any more is believed until
// it expires. One loop.
#pragma once
#include <deque>

#include "libs/contract/revoked_entries.hpp"
#include "libs/core/clock.hpp"
#include "libs/redis/redis.hpp"

namespace urr {

class SharedRevokedEntries final : public RevokedEntries {
public:
    static constexpr std::size_t untold_max = 100'000; // further ones are known here alone

    SharedRevokedEntries(Redis& redis, const Clock& clock);
    void revoke(const EventId& event, const IdBytes& token, Instant expires) override;
    // All that is known in Redis; what only this process knows is told there.
    Task<Result<void>> read(Context context);
    // Tells what was revoked here, and follows Redis from one life to the next.
    Task<> run();

private:
    struct Revoked {
        EventId event;
        IdBytes token{};
        Instant expires;
    };
    void heard(std::string_view message);
    Task<Result<void>> tell(Context context, Revoked revoked);
    // Takes what it finds out of `untold`.
    Task<Result<void>> read_event(Context context, EventId event, Tokens& untold);

    Redis& redis_;
    const Clock& clock_;
    std::deque<Revoked> untold_;
    std::uint64_t read_at_connect_ = 0; // how many connections there had been
    std::unique_ptr<RedisSubscription> subscription_;
};

} // namespace urr
