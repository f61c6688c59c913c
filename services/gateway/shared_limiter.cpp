#include "services/gateway/shared_limiter.hpp"

#include <algorithm>

namespace urr::gateway {

namespace {

constexpr Duration refusal_kept = milliseconds(500), alone_kept = seconds(1);

// KEYS: the count of this minute, of the one before. ARGV: limit, wanted, µs into the minute.
// Answers what is granted and what is left for others then.
const Script& lease_script() {
    static const Script script(R"lua(
local limit, wanted, passed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
local used = current + math.floor(previous * (60000000 - passed) / 60000000)
local granted = math.max(0, math.min(wanted, limit - used))
if granted > 0 then
    redis.call('INCRBY', KEYS[1], granted)
    redis.call('PEXPIRE', KEYS[1], 120000)
end
return {granted, math.max(0, limit - used - granted)}
)lua");
    return script;
}

std::string key_of(std::uint64_t caller, std::int64_t minute) {
    return "{limit:" + std::to_string(caller) + "}:" + std::to_string(minute);
}

Instant end_of_minute(Instant now) {
    return Instant{(now.us / Window::length_us + 1) * Window::length_us};
}

} // namespace

void LimitFigures::write(MetricsText& out) const {
    out.counter("urr_gateway_limit_leases_total", "Leases of permits taken from Redis.", leases);
    out.counter("urr_gateway_limit_leases_refused_total", "Leases refused: the limit is used up.",
                refused_leases);
    out.counter("urr_gateway_limits_local_total",
                "Requests counted by this gateway alone, because Redis was away.", local);
}

bool SharedLimiter::ready(std::uint64_t caller, std::int64_t limit, Instant now) const {
    const auto at = leases_.find(caller);
    if (at == leases_.end()) return false;
    const Lease& lease = at->second;
    if ((lease.permits > 0 && lease.until > now) || lease.refused_until > now ||
        lease.alone_until > now)
        return true;
    return !own_.look(caller, limit, now).allowed; // refused here already: nobody is asked
}

Task<> SharedLimiter::prepare(Context context, std::uint64_t caller, std::int64_t limit,
                              Instant now) {
    context.deadline = std::min(context.deadline, Loop::here().now() + patience_);
    while (!ready(caller, limit, now)) {
        if (const auto asking = lease_of(caller, now).asking) {
            if (const auto asked = co_await asking->wait(context); !asked)
                go_alone(caller, asked.error(), now);
            continue;
        }
        // Whoever asks may be gone before the answer comes: the others go on then.
        struct Asking {
            SharedLimiter& limits;
            std::uint64_t caller;
            std::shared_ptr<Gate> gate = std::make_shared<Gate>();
            ~Asking() {
                if (const auto at = limits.leases_.find(caller);
                    at != limits.leases_.end() && at->second.asking == gate)
                    at->second.asking.reset();
                gate->open();
            }
        } asking{*this, caller};
        lease_of(caller, now).asking = asking.gate;
        if (const auto asked = co_await ask(context, caller, limit, now); !asked)
            go_alone(caller, asked.error(), now);
    }
}

Task<Result<void>> SharedLimiter::ask(Context context, std::uint64_t caller, std::int64_t limit,
                                      Instant now) {
    const std::int64_t minute = now.us / Window::length_us;
    const std::int64_t wanted = std::max<std::int64_t>(1, limit / lease_share);
    const Reply reply = TRY(co_await redis_.run(
        context, lease_script(), {key_of(caller, minute), key_of(caller, minute - 1)},
        {std::to_string(limit), std::to_string(wanted),
         std::to_string(now.us % Window::length_us)}));
    if (reply.items.size() != 2) co_return fail(Code::BAD_GATEWAY, "a lease of another form");
    if (std::exchange(told_, false)) log_.write(Level::info, "limits_are_shared_again");
    Lease& lease = lease_of(caller, now);
    lease.permits = reply.items[0].integer;
    lease.left = reply.items[1].integer;
    lease.until = end_of_minute(now);
    (lease.permits > 0 ? figures_->leases : figures_->refused_leases).add();
    if (lease.permits == 0) lease.refused_until = now + refusal_kept;
    co_return Result<void>{};
}

void SharedLimiter::go_alone(std::uint64_t caller, const Error& why, Instant now) {
    if (!std::exchange(told_, true))
        log_.write(Level::warning, "limits_are_local", {{"why", name(why.code())}});
    lease_of(caller, now).alone_until = now + alone_kept;
}

LimitState SharedLimiter::count(std::uint64_t caller, std::int64_t limit, Instant now) {
    Lease& lease = lease_of(caller, now);
    const std::int64_t reset_seconds = (end_of_minute(now) - now).us / 1'000'000 + 1;
    const bool has_permit = lease.permits > 0 && lease.until > now;
    if (!has_permit && lease.refused_until > now) return {false, limit, 0, reset_seconds};
    // Its own count goes along, so that nobody begins anew when Redis goes away.
    const LimitState own = own_.count(caller, limit, now);
    if (!has_permit && own.allowed) figures_->local.add();
    if (!has_permit || !own.allowed) return own;
    --lease.permits;
    return {true, limit, std::min(own.remaining, lease.permits + lease.left), reset_seconds};
}

SharedLimiter::Lease& SharedLimiter::lease_of(std::uint64_t caller, Instant now) {
    if (leases_.size() >= Limiter::callers_max) {
        std::erase_if(leases_, [&](const auto& entry) {
            return !entry.second.asking && entry.second.until <= now;
        });
        if (leases_.size() >= Limiter::callers_max) leases_.clear(); // bounded, whatever comes
    }
    return leases_[caller];
}

} // namespace urr::gateway
