#include "apps/urr/roles.hpp"

namespace urr::app {

namespace {

struct Named {
    std::string_view name;
    bool Roles::* role;
    bool is_service;
};
constexpr Named all_roles[] = {
    {"gateway", &Roles::gateway, false},  {"auth", &Roles::auth, true},
    {"catalog", &Roles::catalog, true},   {"ticket", &Roles::ticket, true},
    {"payment", &Roles::payment, true},   {"queue", &Roles::queue, true},
    {"vwr", &Roles::waiting_room, false}, {"worker", &Roles::worker, false}};

const Named* find_role(std::string_view name) {
    for (const Named& named : all_roles)
        if (named.name == name) return &named;
    return nullptr;
}

std::string absent_services(const Roles& roles) {
    std::string text;
    for (const Named& named : all_roles)
        if (named.is_service && !(roles.*named.role)) text += " " + std::string(named.name);
    return text;
}

// Of what the split needs. Auth alone shares nothing but its own store.
std::string missing_engines(const Roles& roles, const SharedEngines& engines) {
    std::string text;
    const auto miss = [&text](bool there, std::string_view name) {
        if (!there) text.append(text.empty() ? "" : ", ").append(name);
    };
    miss(engines.stores, "PostgreSQL (URR_DATABASE=postgres)");
    if (roles.worker) miss(engines.works, "SQS (URR_SQS_QUEUE_URL)");
    if (roles.any_with_events()) miss(engines.events, "Kafka (URR_KAFKA_BROKERS)");
    if (roles.ticket != roles.queue) miss(engines.memory, "Redis (URR_REDIS_URLS)");
    return text;
}

} // namespace

bool Roles::has(std::string_view role) const {
    const Named* named = find_role(role);
    return named && this->*named->role;
}

std::string Roles::text() const {
    if (all()) return "urr";
    std::string text;
    for (const Named& named : all_roles)
        if (this->*named.role) text.append(text.empty() ? "" : ",").append(named.name);
    return text;
}

std::vector<Port> ports_of(const Roles& roles) {
    constexpr Port fronts[] = {{"gateway", "URR_PORT"}, {"vwr", "URR_VWR_PORT"}};
    constexpr Port services[] = {{"auth", "URR_AUTH_PORT"},       {"ticket", "URR_TICKET_PORT"},
                                 {"payment", "URR_PAYMENT_PORT"}, {"queue", "URR_QUEUE_PORT"},
                                 {"catalog", "URR_CATALOG_PORT"}, {"worker", "URR_WORKER_PORT"}};
    std::vector<Port> ports;
    for (const Port& port : fronts)
        if (roles.has(port.role)) ports.push_back(port);
    if (roles.gateway && roles.all_services()) return ports;
    for (const Port& port : services) {
        const bool is_seen_at_tickets = port.role == "worker" && roles.ticket;
        if (roles.has(port.role) && !is_seen_at_tickets) ports.push_back(port);
    }
    return ports;
}

namespace {

// Embedded, the work queue and the ledger belong to the process of those who tell.
Roles with_its_worker(Roles roles, const SharedEngines& engines) {
    if (!engines.stores) roles.worker = roles.all_services();
    return roles;
}

} // namespace

Result<Roles> roles_named(std::span<const std::string> names) {
    Roles roles = Roles::none();
    for (const std::string& name : names) {
        const Named* named = find_role(name);
        if (!named)
            return fail(Code::BAD_REQUEST,
                        "unknown role " + name +
                            ": the roles are gateway, auth, catalog, ticket, payment, queue, vwr, "
                            "worker");
        roles.*named->role = true;
    }
    return roles;
}

Result<Roles> read_roles(std::span<const std::string> names, const SharedEngines& engines) {
    if (names.empty()) {
        Roles all;
        all.worker = !engines.stores || engines.works;
        return all;
    }
    const Roles roles = TRY_PLAIN(roles_named(names));
    const bool alone = roles.worker && !(roles.all_services() && !engines.stores);
    if (!alone && (!roles.any_service() || roles.all_services()))
        return with_its_worker(roles, engines);
    const std::string missing = missing_engines(roles, engines);
    if (missing.empty()) return roles;
    return fail(Code::BAD_REQUEST,
                "on embedded stores auth, catalog, ticket, payment and queue run in one process: "
                "add" +
                    absent_services(roles) + "; apart they need " + missing);
}

} // namespace urr::app
