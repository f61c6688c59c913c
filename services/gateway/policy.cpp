#include "services/gateway/policy.hpp"

namespace urr::gateway {

namespace {

struct Prefix {
    std::string_view path;
    Target target;
    Limit limit;
};

constexpr Prefix prefixes[] = {
    {"/api/v1/auth", Target::auth, Limit::auth},
    {"/.well-known/jwks.json", Target::auth, Limit::general},
    {"/api/v1/payments", Target::payment, Limit::general},
    {"/api/v1/events", Target::catalog, Limit::general},
    {"/api/v1/seats", Target::ticket, Limit::booking},
    {"/api/v1/reservations", Target::ticket, Limit::booking},
    {"/api/v1/tickets", Target::ticket, Limit::general},
    {"/api/v1/admin", Target::ticket, Limit::general},
    {"/api/v1/images", Target::ticket, Limit::general},
    {"/api/v1/time", Target::ticket, Limit::general},
    {"/api/v1/queue", Target::queue, Limit::queue},
    {"/vwr", Target::waiting_room, Limit::exempt},
};

// "/api/v1/auth" has "/api/v1/auth" and "/api/v1/auth/x" below it, not "/api/v1/authors".
bool below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool writes(Method method) {
    return method != Method::get && method != Method::head && method != Method::options;
}

constexpr Method kept[] = {Method::get, Method::post, Method::put, Method::patch, Method::del};
constexpr std::size_t other = std::size(kept);

std::size_t index_of(Method method) {
    if (method == Method::head) method = Method::get;
    for (std::size_t i = 0; i < other; ++i)
        if (kept[i] == method) return i;
    return other;
}

std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

} // namespace

std::string_view target_name(Target target) {
    constexpr std::string_view names[] = {"auth", "payment", "catalog", "ticket", "queue", "vwr"};
    return names[std::size_t(target)];
}

Routes::Routes(std::span<const Operation> operations) {
    nodes_.emplace_back();
    for (const Operation& operation : operations) insert(operation);
}

// The children of a node stand with the fixed segments first.
void Routes::insert(const Operation& operation) {
    std::uint16_t at = 0;
    for (std::string_view rest = operation.path; !rest.empty();) {
        std::string_view segment = take_segment(rest);
        if (segment.starts_with('{')) segment = "{";
        std::uint16_t next = nodes_[at].child, last = 0;
        while (next && nodes_[next].segment != segment) next = nodes_[last = next].sibling;
        if (!next) {
            next = std::uint16_t(nodes_.size());
            nodes_.push_back({segment, 0, 0, {}});
            if (segment == "{" && last) {
                nodes_[last].sibling = next;
            } else {
                nodes_[next].sibling = nodes_[at].child;
                nodes_[at].child = next;
            }
        }
        at = next;
    }
    nodes_[at].by_method[index_of(operation.method)] = &operation;
}

Routes::Found Routes::find(Method method, std::string_view path) const {
    Found found;
    if (path.starts_with('/')) find(0, path, index_of(method), found);
    return found;
}

void Routes::find(std::uint16_t at, std::string_view path, std::size_t method, Found& found) const {
    const Node& node = nodes_[at];
    if (path.empty()) {
        for (std::size_t i = 0; i < other; ++i) {
            const Operation* operation = node.by_method[i];
            if (operation && operation->internal) found.internal = true;
            if (!operation || operation->internal) continue;
            found.path_known = true;
            found.methods = std::uint8_t(found.methods | 1u << i);
            if (i == method) found.operation = operation;
        }
        return;
    }
    const std::string_view segment = take_segment(path);
    for (std::uint16_t next = node.child; next && !found.operation; next = nodes_[next].sibling)
        if (nodes_[next].segment == segment || (nodes_[next].segment == "{" && !segment.empty()))
            find(next, path, method, found);
}

std::string allow_text(std::uint8_t methods) {
    std::string text;
    for (std::size_t i = 0; i < other; ++i) {
        if (!(methods & 1u << i)) continue;
        if (!text.empty()) text += ", ";
        text += method_name(kept[i]);
        if (kept[i] == Method::get) text += ", HEAD";
    }
    return text;
}

std::optional<Operation> needs_by_prefix(Method method, std::string_view path) {
    for (const Prefix& prefix : prefixes) {
        if (!below(path, prefix.path)) continue;
        const bool booking = prefix.limit == Limit::booking;
        const bool entry = booking && (writes(method) || prefix.path.ends_with("seats"));
        const Limit limit = booking && !writes(method) ? Limit::general : prefix.limit;
        return Operation{method, prefix.path, prefix.target, limit, Role::anonymous,
                         entry,  entry,       false,         false};
    }
    return std::nullopt;
}

} // namespace urr::gateway
