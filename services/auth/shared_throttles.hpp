// Tries that all processes of auth count together in Redis, so that who guesses at passwords gains
// nothing by being balanced over them. One script looks at all that a try counts for and counts it
// for each of them or for none; a key lives until it has drained.
//
// Each process counts along on its own: when Redis is away, slow or emptied, it goes on at the same
// rate with what it has seen itself, says so once and counts it (urr_auth_tries_alone_total).
// Nobody's password is refused because Redis is away. One loop.
#pragma once
#include "libs/async/nursery.hpp"
#include "libs/redis/redis.hpp"
#include "services/auth/throttles.hpp"

namespace urr::auth {

class SharedThrottles final : public Throttles {
public:
    static constexpr Duration usual_patience = milliseconds(100);
    static constexpr std::size_t giving_back_max = 1'000; // further ones drain by time

    // Where Redis does not answer within `patience`, it counts alone.
    SharedThrottles(const ThrottleRules& rules, const SecretKey& secret, Redis& redis, Log& log,
                    Counter& alone, Duration patience = usual_patience)
        : Throttles(rules, secret), redis_(redis), log_(log), alone_(alone), patience_(patience) {}

    void give_back(const Try& attempt) override;

private:
    Task<Result<Try>> attempt(Context context, std::vector<Counted> counted) override;
    Task<Result<Reply>> ask(Context context, const Script& script,
                            const std::vector<Counted>& counted);
    Task<> tell(std::vector<Counted> counted);

    Redis& redis_;
    Log& log_;
    Counter& alone_;
    const Duration patience_;
    bool told_ = false; // that it counts alone
    Nursery tasks_;     // last: its tasks use all of the above
};

} // namespace urr::auth
