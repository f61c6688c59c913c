// The gateway: four filters in the order of the architecture (GW-1…GW-4), then routing.
//
//   GW-1  cookie access_token becomes a bearer token
//   GW-2  the token is checked (once, then remembered until it expires), whether its session has
//         ended is asked each time, and the route's user and role are asked for; who calls is
//         stated to the service with an assertion; what a client sent of such headers is dropped
//   GW-3  rate limits: per account; anonymous callers per device cookie and per address
//   GW-4  the entry token before seats and reservations
//
// What a route needs stands in the contract (policy.hpp). One loop each. Bodies pass through
// unread; streams unbuffered. Always an answer: a service that is away is 502, 503 or 504.
#pragma once
#include <array>
#include <memory>
#include <set>
#include <span>

#include "libs/contract/caller.hpp"
#include "libs/contract/ended_sessions.hpp"
#include "libs/core/clock.hpp"
#include "libs/http/breaker.hpp"
#include "libs/http/client_address.hpp"
#include "libs/http/server.hpp"
#include "libs/security/jwt.hpp"
#include "services/gateway/device.hpp"
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
    SecretKey device_key{};                                  // the same for all gateways
    bool secure_cookies = true;
};

class Gateway final : public HttpHandler {
public:
    Gateway(Options options, const Clock& clock, Random& random, const EndedSessions& ended,
            std::array<Transport*, targets> upstreams, HttpHandler* waiting_room_door,
            std::unique_ptr<RateLimits> rates = std::make_unique<Limiter>());

    bool answer_at_once(const Request& request, std::string& out) override;
    // Only of the contract's uploads, and only from who may make them: nobody else costs memory.
    Result<> admit_large_body(const Request& request) override;
    // With all that its other answers have.
    Response refuse_large_body(const Request& request, const Context& context,
                               const Error& error) override;
    Task<Response> handle(Context context, Request request) override;
    const Metrics& metrics() const { return metrics_; }
    const EndedSessions& ended() const { return ended_; }
    bool has(Target target) const { return upstreams_[std::size_t(target)] != nullptr; }
    // The breaker of the service is open: it did not answer lately.
    bool is_away(Target target) const { return breakers_[std::size_t(target)].open(); }

private:
    // Who a token speaks for.
    struct Known {
        Principal principal;
        std::string email;
        Instant expires;
        SessionId session; // of an access token that names one
    };
    struct TextHash {
        using is_transparent = void;
        // A token's end is its signature, which nobody chooses; only checked tokens are kept.
        std::size_t operator()(std::string_view text) const {
            constexpr std::size_t end_bytes = 32;
            text.remove_prefix(text.size() - std::min(text.size(), end_bytes));
            return std::hash<std::string_view>()(text);
        }
    };
    using Memory = std::unordered_map<std::string, Known, TextHash, std::equal_to<>>;
    // One request on its way: what the filters found out.
    struct Passage {
        Operation needs{};
        Instant now;
        Address client;
        Principal principal;
        std::string_view email;
        std::string traceparent;
        std::string_view request_id; // the caller's, or within `traceparent`
        LimitState limit;
        bool new_device = false;
        std::uint8_t allowed_methods = 0; // of a path that has no such method
    };

    Response preflight() const;
    // The filters. What they leave of the request may go on.
    Task<Result<void>> check(Context context, Request& request, Passage& passage);
    // Whom a request counts for.
    struct Counted {
        std::uint64_t caller = 0;
        std::int64_t limit = 0;
    };
    std::size_t counted_of(const Request& request, Passage& passage,
                           std::array<Counted, 2>& counted) const;
    Result<> find_route(Request& request, Passage& passage) const;
    Result<> check_caller(const Request& request, Passage& passage);
    Result<> check_limit(std::span<const Counted> counted, Passage& passage);
    Result<> check_entry(const Request& request, Passage& passage);
    Result<const Known*> check_token(std::string_view token, TokenType type, Memory& memory,
                                     const Passage& passage);
    Result<const Known*> check_access(std::string_view token, const Passage& passage);
    Counted counted(std::uint64_t caller, const Passage& passage, std::int64_t factor) const;
    Task<Result<Response>> forward(Context context, Request& request, const Passage& passage);
    static void note_ids(const Context& context, const Request& request, Passage& passage);
    void finish(const Request& request, const Passage& passage, Response& response);
    void add_cors(const Request& request, Response& response) const;

    Options options_;
    const Clock& clock_;
    Random& random_;
    const EndedSessions& ended_;
    std::array<Transport*, targets> upstreams_;
    HttpHandler* door_;
    const Routes routes_;
    const std::unique_ptr<RateLimits> rates_;
    Memory access_tokens_, entry_tokens_;
    std::array<Breaker, targets> breakers_;
    Metrics metrics_;
};

} // namespace urr::gateway
