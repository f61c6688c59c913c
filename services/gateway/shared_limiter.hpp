// Limits that all gateways share in Redis. Each takes leases of permits, at most a twentieth of a
// limit and at least one, so that most requests ask nobody; a caller who has none left is asked for
// once, however many of his requests wait. Redis away or slow: this process's own count at the same
// rate, a warning and a counter.
//
// A permit is good until its window ends. What one gateway has leased and does not use is missing
// for the caller elsewhere until then: at most a twentieth of his limit per gateway.
#pragma once
#include <memory>

#include "libs/async/wait.hpp"
#include "libs/redis/redis.hpp"
#include "services/gateway/limiter.hpp"

namespace urr::gateway {

struct LimitFigures {
    Counter leases, refused_leases, local;
    void write(MetricsText& out) const;
};

class SharedLimiter final : public RateLimits {
public:
    static constexpr Duration usual_patience = milliseconds(50);
    static constexpr std::int64_t lease_share = 20; // of a limit, in one lease

    // Where Redis does not answer within `patience`, it counts alone.
    SharedLimiter(Redis& redis, Log& log, std::shared_ptr<LimitFigures> figures,
                  Duration patience = usual_patience)
        : redis_(redis), log_(log), figures_(std::move(figures)), patience_(patience) {}

    bool ready(std::uint64_t caller, std::int64_t limit, Instant now) const override;
    Task<> prepare(Context context, std::uint64_t caller, std::int64_t limit, Instant now) override;
    LimitState count(std::uint64_t caller, std::int64_t limit, Instant now) override;
    LimitState look(std::uint64_t caller, std::int64_t limit, Instant now) const override {
        return own_.look(caller, limit, now);
    }

private:
    struct Lease {
        std::int64_t permits = 0;
        std::int64_t left = 0;        // what the others may take of the limit still
        Instant until;                // end of the window that they are of
        Instant refused_until;        // there was nothing left
        Instant alone_until;          // Redis did not answer
        std::shared_ptr<Gate> asking; // somebody asks for it
    };

    Task<Result<void>> ask(Context context, std::uint64_t caller, std::int64_t limit, Instant now);
    void go_alone(std::uint64_t caller, const Error& why, Instant now);
    Lease& lease_of(std::uint64_t caller, Instant now);

    Redis& redis_;
    Log& log_;
    const std::shared_ptr<LimitFigures> figures_;
    const Duration patience_;
    Limiter own_;
    std::unordered_map<std::uint64_t, Lease> leases_;
    bool told_ = false; // that it counts alone
};

} // namespace urr::gateway
