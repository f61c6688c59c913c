#include "services/gateway/gateway.hpp"

namespace urr::gateway {

namespace {

constexpr std::size_t tokens_remembered_max = 200'000;
constexpr int breaker_failures = 5;
constexpr Duration breaker_pause = seconds(2);
constexpr std::string_view vwr_prefix = "/vwr-api";

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t z = a * 0x9E3779B97F4A7C15ull + b;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    return z ^ (z >> 27);
}

std::uint64_t number_of(const std::array<unsigned char, 16>& bytes) {
    std::uint64_t high, low;
    std::memcpy(&high, bytes.data(), 8);
    std::memcpy(&low, bytes.data() + 8, 8);
    return mix(high, low);
}

Principal principal_of(const Claims& claims) {
    Principal p;
    if (claims.type == TokenType::access) {
        p.account = claims.subject;
        p.role = claims.role;
        p.verified = claims.email_verified;
    } else {
        p.account = claims.subject;
        p.entry_event = claims.event;
        p.entry_token = claims.id;
    }
    return p;
}

bool is_failure(const Result<Response>& answer) {
    return !answer || answer->status == 502 || answer->status == 504;
}

} // namespace

Gateway::Gateway(Options options, const Clock& clock, std::array<Transport*, targets> upstreams,
                 HttpHandler* door)
    : options_(std::move(options)), clock_(clock), upstreams_(upstreams), door_(door) {}

// The door of the waiting room stands in front of everything: no token, no limit but its own.
bool Gateway::answer_at_once(const Request& request, std::string& out) {
    if (!door_ || !request.path.starts_with("/vwr-api/")) return false;
    Request inner = request;
    inner.path.remove_prefix(vwr_prefix.size());
    inner.target.remove_prefix(vwr_prefix.size());
    inner.peer = options_.trusted.client_of(request);
    return door_->answer_at_once(inner, out);
}

Task<Response> Gateway::handle(Context context, Request request) {
    metrics_.requests.add();
    if (request.method == Method::options && request.has_header("Access-Control-Request-Method")) {
        Response preflight;
        preflight.status = 204;
        add_cors(request, preflight);
        preflight.add("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
            .add("Access-Control-Allow-Headers",
                 "Authorization, Content-Type, Idempotency-Key, x-queue-entry-token")
            .add("Access-Control-Max-Age", "600");
        co_return preflight;
    }
    LimitState limit;
    auto answer = co_await filter(context, request, limit);
    Response response =
        answer ? std::move(*answer)
               : problem(answer.error(), context.trace, request.header("Accept-Language"));
    if (limit.limit > 0)
        response.add("RateLimit-Limit", std::to_string(limit.limit))
            .add("RateLimit-Remaining", std::to_string(limit.remaining))
            .add("RateLimit-Reset", std::to_string(limit.reset_seconds));
    add_cors(request, response);
    response.add("X-Request-Id", context.trace.id_text());
    response.add("traceparent", context.trace.traceparent());
    co_return response;
}

Task<Result<Response>> Gateway::filter(Context context, Request request, LimitState& limit) {
    const auto target = target_of(request.path);
    if (!target || !upstreams_[std::size_t(*target)]) co_return fail(Code::NOT_FOUND);
    const Address client = options_.trusted.client_of(request);
    Principal principal = TRY(caller_of(request, client));
    TRY(check_limit(request, principal, client, limit));
    if (needs_entry(request.method, request.path)) TRY(check_entry(request, principal));
    co_return co_await forward(context, request, *target, principal, client);
}

Result<Principal> Gateway::remembered(std::string_view token, TokenType type, Memory& memory) {
    const Instant now = clock_.now();
    if (const auto at = memory.find(token); at != memory.end()) {
        if (at->second.expires > now) {
            metrics_.token_hits.add();
            return at->second.principal;
        }
        memory.erase(at);
    }
    metrics_.token_checks.add();
    auto claims = verify_token(options_.keys, token, type, now);
    if (!claims) return fail(std::move(claims).error());
    if (memory.size() >= tokens_remembered_max) memory.clear(); // bounded; they are checked again
    const Principal principal = principal_of(*claims);
    memory.emplace(std::string(token), Remembered{principal, claims->expires});
    return principal;
}

// GW-1 and GW-2. A token that is no good makes an anonymous caller: services say 401 where one must
// be signed in.
Result<Principal> Gateway::caller_of(const Request& request, const Address& client) {
    std::string_view token = request.header("Authorization");
    if (token.starts_with("Bearer "))
        token.remove_prefix(7);
    else
        token = request.cookie("access_token");
    if (token.empty()) return Principal{};
    auto principal = remembered(token, TokenType::access, access_tokens_);
    if (principal) return principal;
    metrics_.refused_tokens.add();
    const auto failures =
        limiter_.count(mix(number_of(client.bytes), 77), options_.limits.bad_tokens, clock_.now());
    if (!failures.allowed)
        return fail(Error(Code::RATE_LIMITED).retry_after(int(failures.reset_seconds)));
    return Principal{};
}

Result<> Gateway::check_limit(const Request& request, const Principal& principal,
                              const Address& client, LimitState& state) {
    const Limit category = limit_of(request.method, request.path);
    if (category == Limit::exempt) return {};
    const Limits& limits = options_.limits;
    const std::int64_t per_caller[] = {limits.auth, limits.queue, limits.booking, limits.general,
                                       limits.webhook};
    std::int64_t limit = per_caller[std::size_t(category)];
    std::uint64_t caller = number_of(principal.account.bytes);
    if (!principal.signed_in()) {
        limit *= limits.address_factor;
        caller = number_of(client.bytes);
    }
    state = limiter_.count(mix(caller, std::uint64_t(category) + 1), limit, clock_.now());
    if (state.allowed) return {};
    metrics_.limited.add();
    return fail(Error(Code::RATE_LIMITED).retry_after(int(state.reset_seconds)));
}

// GW-4.
Result<> Gateway::check_entry(const Request& request, Principal& principal) {
    if (!principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    std::string_view token = request.header("x-queue-entry-token");
    if (token.empty()) token = request.cookie("urr-entry-token");
    if (token.empty()) {
        metrics_.entries_refused.add();
        return fail(Code::ENTRY_TOKEN_REQUIRED);
    }
    const auto entry = remembered(token, TokenType::entry, entry_tokens_);
    if (!entry || entry->account != principal.account) {
        metrics_.entries_refused.add();
        return fail(Code::ENTRY_TOKEN_INVALID);
    }
    principal.entry_event = entry->entry_event;
    principal.entry_token = entry->entry_token;
    return {};
}

Task<Result<Response>> Gateway::forward(Context context, Request request, Target target,
                                        const Principal& principal, const Address& client) {
    const auto index = std::size_t(target);
    Breaker& breaker = breakers_[index];
    const Instant now = clock_.now();
    if (breaker.open_until > now) {
        metrics_.breaker_refusals.add();
        co_return fail(Error(Code::UNAVAILABLE, "the service is away").retry_after(2));
    }
    for (const std::string_view name : internal_headers) request.remove_headers(name);
    for (const std::string_view name :
         {"X-Forwarded-For", "X-Request-Id", "traceparent", "Authorization"})
        request.remove_headers(name);
    const std::string address = client.text();
    const std::string trace = context.trace.traceparent();
    request.add_header("X-Forwarded-For", address);
    request.add_header("traceparent", trace);
    if (target == Target::waiting_room && request.path.starts_with("/vwr-api/")) {
        request.path.remove_prefix(vwr_prefix.size());
        request.target.remove_prefix(vwr_prefix.size());
    }
    std::optional<CallerHeaders> headers;
    if (const auto& key = options_.caller_keys[index]) {
        const CallerKey caller{"gateway", *key};
        headers.emplace(caller, target_name(target), principal, request, now);
        if (!headers->attach(request)) co_return fail(Code::HEADERS_TOO_LARGE);
    }
    request.peer = client;
    auto answer = co_await upstreams_[index]->send(context, request);
    if (is_failure(answer)) {
        metrics_.upstream_failures.add();
        if (++breaker.failures >= breaker_failures) {
            breaker.failures = 0;
            breaker.open_until = clock_.now() + breaker_pause;
        }
    } else {
        breaker.failures = 0;
    }
    co_return answer;
}

void Gateway::add_cors(const Request& request, Response& response) const {
    const std::string_view origin = request.header("Origin");
    if (origin.empty() || !options_.origins.contains(origin)) return;
    response.add("Access-Control-Allow-Origin", origin)
        .add("Access-Control-Allow-Credentials", "true")
        .add("Vary", "Origin");
}

} // namespace urr::gateway
