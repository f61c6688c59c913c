// The gateway: four filters in the order of the architecture (GW-1…GW-4), then routing.
//
//   GW-1  cookie access_token becomes a bearer token
//   GW-2  the token is checked (once, then remembered until it expires); who calls is stated to the
//         service with an assertion; what a client sent of such headers is dropped
//   GW-3  rate limits, per account or per client address
//   GW-4  the entry token before seats and reservations
//
// One loop each. Bodies pass through unread; streams unbuffered.
#pragma once
#include <array>
#include <set>

#include "libs/contract/caller.hpp"
#include "libs/core/clock.hpp"
#include "libs/http/client_address.hpp"
#include "libs/http/server.hpp"
#include "libs/security/jwt.hpp"
#include "services/gateway/limiter.hpp"
#include "services/gateway/metrics.hpp"
#include "services/gateway/policy.hpp"

namespace urr::gateway {

struct Limits {
    std::int64_t auth = 20, queue = 60, booking = 10, general = 100, webhook = 1000; // a minute
    std::int64_t address_factor = 50; // many share an address behind a carrier
    std::int64_t bad_tokens = 60;     // failed checks per address and minute
};

struct Options {
    PublicKeys keys; // access and entry
    TrustedProxies trusted;
    std::set<std::string, std::less<>> origins; // CORS
    Limits limits;
    std::array<std::optional<HmacKey>, targets> caller_keys; // one per service
};

class Gateway final : public HttpHandler {
public:
    Gateway(Options options, const Clock& clock, std::array<Transport*, targets> upstreams,
            HttpHandler* waiting_room_door);

    bool answer_at_once(const Request& request, std::string& out) override;
    Task<Response> handle(Context context, Request request) override;
    const Metrics& metrics() const { return metrics_; }

private:
    struct Remembered {
        Principal principal;
        Instant expires;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Memory = std::unordered_map<std::string, Remembered, TextHash, std::equal_to<>>;
    struct Breaker {
        int failures = 0;
        Instant open_until{};
    };

    Task<Result<Response>> filter(Context context, Request request, LimitState& limit);
    Result<Principal> caller_of(const Request& request, const Address& client);
    Result<Principal> remembered(std::string_view token, TokenType type, Memory& memory);
    Result<> check_limit(const Request& request, const Principal& principal, const Address& client,
                         LimitState& state);
    Result<> check_entry(const Request& request, Principal& principal);
    Task<Result<Response>> forward(Context context, Request request, Target target,
                                   const Principal& principal, const Address& client);
    void add_cors(const Request& request, Response& response) const;

    Options options_;
    const Clock& clock_;
    std::array<Transport*, targets> upstreams_;
    HttpHandler* door_;
    Limiter limiter_;
    Memory access_tokens_, entry_tokens_;
    std::array<Breaker, targets> breakers_;
    Metrics metrics_;
};

} // namespace urr::gateway
