#include "services/gateway/policy.hpp"

namespace urr::gateway {

namespace {

struct Prefix {
    std::string_view path;
    Target target;
};

constexpr Prefix prefixes[] = {
    {"/api/v1/auth", Target::auth},        {"/.well-known/jwks.json", Target::auth},
    {"/api/v1/payments", Target::payment}, {"/api/v1/events", Target::catalog},
    {"/api/v1/seats", Target::ticket},     {"/api/v1/reservations", Target::ticket},
    {"/api/v1/tickets", Target::ticket},   {"/api/v1/admin", Target::ticket},
    {"/api/v1/time", Target::ticket},      {"/api/v1/queue", Target::queue},
    {"/vwr-api", Target::waiting_room},    {"/vwr", Target::waiting_room},
};

// "/api/v1/auth" has "/api/v1/auth" and "/api/v1/auth/x" below it, not "/api/v1/authors".
bool below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool writes(Method method) {
    return method != Method::get && method != Method::head && method != Method::options;
}

} // namespace

std::string_view target_name(Target target) {
    constexpr std::string_view names[] = {"auth", "payment", "catalog", "ticket", "queue", "vwr"};
    return names[std::size_t(target)];
}

std::optional<Target> target_of(std::string_view path) {
    for (const Prefix& prefix : prefixes)
        if (below(path, prefix.path)) return prefix.target;
    return std::nullopt;
}

Limit limit_of(Method method, std::string_view path) {
    if (path == "/api/v1/auth/me" || path.ends_with("/stream") || path.starts_with("/vwr"))
        return Limit::exempt;
    if (below(path, "/api/v1/payments/webhooks")) return Limit::webhook;
    if (below(path, "/api/v1/auth")) return Limit::auth;
    if (below(path, "/api/v1/queue")) return Limit::queue;
    const bool booking = below(path, "/api/v1/reservations") || below(path, "/api/v1/seats");
    return booking && writes(method) ? Limit::booking : Limit::general;
}

bool needs_entry(Method method, std::string_view path) {
    if (below(path, "/api/v1/seats")) return true;
    if (!below(path, "/api/v1/reservations") || !writes(method)) return false;
    return !path.ends_with("/cancel"); // giving a seat back needs no entry
}

} // namespace urr::gateway
