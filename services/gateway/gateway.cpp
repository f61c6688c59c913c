#include "services/gateway/gateway.hpp"

namespace urr::gateway {

namespace {

constexpr std::size_t tokens_remembered_max = 200'000;
constexpr std::size_t request_id_bytes_max = 64;
constexpr std::string_view vwr_prefix = "/vwr-api";
// What the services must hear from us alone.
constexpr auto stripped = [] {
    constexpr std::string_view ours[] = {"X-Forwarded-For", "X-Request-Id", "traceparent",
                                         "Authorization"};
    std::array<std::string_view, std::size(internal_headers) + std::size(ours)> names;
    std::ranges::copy(ours, std::ranges::copy(internal_headers, names.begin()).out);
    return names;
}();

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

// What is counted apart for one caller; the categories stand from 1 on.
constexpr std::uint64_t bad_tokens_category = 77;

Principal principal_of(const Claims& claims) {
    Principal p;
    p.account = claims.subject;
    if (claims.type == TokenType::access) {
        p.role = claims.role;
        p.verified = claims.email_verified;
    } else {
        p.entry_event = claims.event;
        p.entry_token = claims.id;
    }
    return p;
}

bool is_failure(const Result<Response>& answer) {
    return !answer || answer->status == 502 || answer->status == 504;
}

bool is_request_id(std::string_view text) {
    if (text.empty() || text.size() > request_id_bytes_max) return false;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (!plain) return false;
    }
    return true;
}

std::unexpected<Error> over_limit(const LimitState& state) {
    return fail(Error(Code::RATE_LIMITED).retry_after(int(state.reset_seconds)));
}

} // namespace

Gateway::Gateway(Options options, const Clock& clock, Random& random, const EndedSessions& ended,
                 std::array<Transport*, targets> upstreams, HttpHandler* door,
                 std::unique_ptr<RateLimits> rates)
    : options_(std::move(options)), clock_(clock), random_(random), ended_(ended),
      upstreams_(upstreams), door_(door), routes_(operations()), rates_(std::move(rates)) {}

// The door of the waiting room stands in front of everything: no token, no limit but its own.
bool Gateway::answer_at_once(const Request& request, std::string& out) {
    if (!door_ || !request.path.starts_with("/vwr-api/")) return false;
    Request inner = request;
    inner.path.remove_prefix(vwr_prefix.size());
    inner.target.remove_prefix(vwr_prefix.size());
    inner.peer = options_.trusted.client_of(request);
    return door_->answer_at_once(inner, out);
}

Result<> Gateway::admit_large_body(const Request& request) {
    Request copy = request; // a prefix may go
    Passage passage;
    passage.now = clock_.now();
    passage.client = options_.trusted.client_of(copy);
    TRY_PLAIN(find_route(copy, passage));
    if (!passage.needs.upload) return fail(Code::BODY_TOO_LARGE);
    return check_caller(copy, passage);
}

Response Gateway::refuse_large_body(const Request& request, const Context& context,
                                    const Error& error) {
    metrics_.requests.add();
    Passage passage;
    note_ids(context, request, passage);
    Request copy = request;
    (void)find_route(copy, passage); // the methods that it has
    Response response = problem(error, context.trace, request.header("Accept-Language"));
    finish(request, passage, response);
    return response;
}

Task<Response> Gateway::handle(Context context, Request request) {
    metrics_.requests.add();
    Passage passage;
    note_ids(context, request, passage);
    passage.now = clock_.now();
    Response response;
    if (request.method == Method::options && request.has_header("Access-Control-Request-Method")) {
        response = preflight();
    } else {
        auto allowed = co_await check(context, request, passage);
        Result<Response> answer = allowed ? co_await forward(context, request, passage)
                                          : fail(std::move(allowed).error());
        const std::string_view language = request.header("Accept-Language");
        response = answer ? std::move(*answer) : problem(answer.error(), context.trace, language);
    }
    finish(request, passage, response);
    co_return response;
}

void Gateway::note_ids(const Context& context, const Request& request, Passage& passage) {
    passage.traceparent = context.trace.traceparent();
    const std::string_view given = request.header("X-Request-Id");
    passage.request_id = is_request_id(given) ? given : Trace::id_in(passage.traceparent);
}

Response Gateway::preflight() const {
    Response response;
    response.status = 204;
    response.add("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
        .add("Access-Control-Allow-Headers",
             "Authorization, Content-Type, Idempotency-Key, x-queue-entry-token")
        .add("Access-Control-Max-Age", "600");
    return response;
}

Task<Result<void>> Gateway::check(Context context, Request& request, Passage& passage) {
    passage.client = options_.trusted.client_of(request);
    TRY(find_route(request, passage));
    TRY(check_caller(request, passage));
    if (passage.needs.limit != Limit::exempt) {
        std::array<Counted, 2> counted;
        const std::size_t count = counted_of(request, passage, counted);
        for (std::size_t i = 0; i < count;) { // all of them are known when the first is counted
            const auto& [caller, limit] = counted[i++];
            if (rates_->ready(caller, limit, passage.now)) continue;
            co_await rates_->prepare(context, caller, limit, passage.now);
            i = 0;
        }
        TRY(check_limit(std::span(counted).first(count), passage));
    }
    if (passage.needs.entry) TRY(check_entry(request, passage));
    if (passage.needs.idempotency && request.header("Idempotency-Key").empty())
        co_return fail(Code::IDEMPOTENCY_KEY_REQUIRED);
    co_return Result<void>{};
}

Result<> Gateway::find_route(Request& request, Passage& passage) const {
    if (request.path.starts_with("/vwr-api/")) {
        request.path.remove_prefix(vwr_prefix.size());
        request.target.remove_prefix(vwr_prefix.size());
        if (!request.path.starts_with("/vwr/")) return fail(Code::NOT_FOUND);
    }
    const Routes::Found found = routes_.find(request.method, request.path);
    if (found.operation) {
        passage.needs = *found.operation;
    } else if (found.path_known) {
        passage.allowed_methods = found.methods;
        return fail(Code::METHOD_NOT_ALLOWED);
    } else {
        const auto needs = needs_by_prefix(request.method, request.path);
        if (!needs || found.internal) return fail(Code::NOT_FOUND);
        passage.needs = *needs;
    }
    if (!upstreams_[std::size_t(passage.needs.target)]) return fail(Code::NOT_FOUND);
    return {};
}

Result<const Gateway::Known*> Gateway::check_token(std::string_view token, TokenType type,
                                                   Memory& memory, const Passage& passage) {
    const Instant now = passage.now;
    if (const auto at = memory.find(token); at != memory.end()) {
        if (at->second.expires > now) {
            metrics_.token_hits.add();
            return &at->second;
        }
        memory.erase(at);
    }
    // Checking costs; who has sent many that were no good waits before the next is looked at.
    const std::uint64_t address =
        mix(number_of(subscriber_of(passage.client).bytes), bad_tokens_category);
    const LimitState failures = rates_->look(address, options_.limits.bad_tokens, now);
    if (!failures.allowed) return over_limit(failures);
    metrics_.token_checks.add();
    auto claims = verify_token(options_.keys, token, type, now);
    if (!claims) {
        metrics_.refused_tokens.add();
        rates_->count(address, options_.limits.bad_tokens, now);
        return fail(Code::TOKEN_INVALID);
    }
    if (memory.size() >= tokens_remembered_max) memory.clear(); // bounded; they are checked again
    Known known{principal_of(*claims), std::move(claims->email), claims->expires, claims->session};
    return &memory.emplace(std::string(token), std::move(known)).first->second;
}

// Refusing the token of a session that has ended costs no signature, so it counts against nobody.
Result<const Gateway::Known*> Gateway::check_access(std::string_view token,
                                                    const Passage& passage) {
    const Known* known = TRY_PLAIN(check_token(token, TokenType::access, access_tokens_, passage));
    if (!ended_.has_ended(known->session)) return known;
    metrics_.ended_tokens.add();
    return fail(Code::TOKEN_INVALID);
}

// GW-1 and GW-2.
Result<> Gateway::check_caller(const Request& request, Passage& passage) {
    const Operation& needs = passage.needs;
    std::string_view token = request.header("Authorization");
    if (token.starts_with("Bearer "))
        token.remove_prefix(7);
    else
        token = request.cookie("access_token");
    if (!token.empty()) {
        const auto known = check_access(token, passage);
        if (known) {
            passage.principal = (*known)->principal;
            passage.email = (*known)->email;
        } else if (needs.user || known.error().code() == Code::RATE_LIMITED) {
            return std::unexpected<Error>(known.error().clone());
        }
    }
    if (needs.user && !passage.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    if (passage.principal.role < needs.role) return fail(Code::FORBIDDEN);
    return {};
}

Gateway::Counted Gateway::counted(std::uint64_t caller, const Passage& passage,
                                  std::int64_t factor) const {
    const Limit category = passage.needs.limit;
    const Limits& limits = options_.limits;
    const std::int64_t per_caller[] = {limits.auth, limits.queue, limits.booking, limits.general,
                                       limits.webhook};
    return {mix(caller, std::uint64_t(category) + 1), per_caller[std::size_t(category)] * factor};
}

// GW-3. Behind one address there may be many, so an anonymous browser counts by its device cookie
// and its address by a multiple; who brings no cookie counts by the address alone.
std::size_t Gateway::counted_of(const Request& request, Passage& passage,
                                std::array<Counted, 2>& out) const {
    std::size_t count = 0;
    if (passage.principal.signed_in()) {
        out[count++] = counted(number_of(passage.principal.account.bytes), passage, 1);
        return count;
    }
    const auto device = read_device(options_.device_key, request.cookie(device_cookie));
    const std::uint64_t address = number_of(subscriber_of(passage.client).bytes);
    passage.new_device = !device;
    if (device) out[count++] = counted(mix(*device, address), passage, 1);
    out[count++] = counted(address, passage, options_.limits.address_factor);
    return count;
}

// The first one's state is told, unless another one refuses.
Result<> Gateway::check_limit(std::span<const Counted> counted, Passage& passage) {
    LimitState& state = passage.limit;
    for (std::size_t i = 0; i < counted.size() && state.allowed; ++i) {
        const LimitState one = rates_->count(counted[i].caller, counted[i].limit, passage.now);
        if (i == 0 || !one.allowed) state = one;
    }
    if (state.allowed) return {};
    metrics_.limited.add();
    return over_limit(state);
}

// GW-4.
Result<> Gateway::check_entry(const Request& request, Passage& passage) {
    std::string_view token = request.header("x-queue-entry-token");
    if (token.empty()) token = request.cookie("urr-entry-token");
    if (token.empty()) {
        metrics_.entries_refused.add();
        return fail(Code::ENTRY_TOKEN_REQUIRED);
    }
    const auto entry = check_token(token, TokenType::entry, entry_tokens_, passage);
    if (!entry && entry.error().code() == Code::RATE_LIMITED)
        return std::unexpected<Error>(entry.error().clone());
    if (!entry || (*entry)->principal.account != passage.principal.account) {
        metrics_.entries_refused.add();
        return fail(Code::ENTRY_TOKEN_INVALID);
    }
    passage.principal.entry_event = (*entry)->principal.entry_event;
    passage.principal.entry_token = (*entry)->principal.entry_token;
    return {};
}

Task<Result<Response>> Gateway::forward(Context context, Request& request, const Passage& passage) {
    const auto index = std::size_t(passage.needs.target);
    Breaker& breaker = breakers_[index];
    request.remove_headers(stripped);
    const std::string address = passage.client.text();
    bool room = request.add_header("X-Forwarded-For", address) &&
                request.add_header("X-Request-Id", passage.request_id) &&
                request.add_header("traceparent", passage.traceparent);
    std::optional<CallerHeaders> headers;
    if (const auto& key = options_.caller_keys[index]) {
        headers.emplace("gateway", *key, target_name(passage.needs.target), passage.principal,
                        request, passage.now, passage.email);
        room = room && headers->attach(request);
    }
    if (!room) co_return fail(Code::HEADERS_TOO_LARGE);
    request.peer = passage.client;
    if (!breaker.allow(passage.now)) {
        metrics_.breaker_refusals.add();
        co_return fail(Error(Code::UNAVAILABLE, "the service is away").retry_after(2));
    }
    auto answer = co_await upstreams_[index]->send(context, request);
    const bool failed = is_failure(answer);
    if (failed) metrics_.upstream_failures.add();
    breaker.settle(!failed, failed ? clock_.now() : passage.now);
    co_return answer;
}

void Gateway::finish(const Request& request, const Passage& passage, Response& response) {
    const LimitState& limit = passage.limit;
    if (limit.limit > 0)
        response.add("RateLimit-Limit", limit.limit)
            .add("RateLimit-Remaining", limit.remaining)
            .add("RateLimit-Reset", limit.reset_seconds);
    if (passage.allowed_methods) response.add("Allow", allow_text(passage.allowed_methods));
    // Never on what a shared cache may keep: all behind it would be one device.
    if (passage.new_device && !response.header("Cache-Control").starts_with("public")) {
        std::string cookie(device_cookie);
        cookie.append("=").append(make_device(options_.device_key, random_));
        cookie.append("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
        if (options_.secure_cookies) cookie.append("; Secure");
        response.add("Set-Cookie", cookie);
    }
    add_cors(request, response);
    response.add("X-Request-Id", passage.request_id);
    response.add("traceparent", passage.traceparent);
}

void Gateway::add_cors(const Request& request, Response& response) const {
    if (options_.origins.empty()) return;
    response.add("Vary", "Origin"); // also where no origin was sent: caches must know
    const std::string_view origin = request.header("Origin");
    if (origin.empty() || !options_.origins.contains(origin)) return;
    response.add("Access-Control-Allow-Origin", origin)
        .add("Access-Control-Allow-Credentials", "true")
        .add("Access-Control-Expose-Headers",
             "ETag, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
             "X-Request-Id");
}

} // namespace urr::gateway
