// What one process does of an installation: `urr serve [role…]`.
//
// On embedded stores auth, catalog, ticket, payment and queue share files and memory, so they run
// in one process, and the worker with them; only the gateway and the waiting room (vwr) may run
// apart from them. On engines that processes share every role runs apart, in as many copies as one
// likes.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/result.hpp"

namespace urr::app {

struct Roles {
    bool gateway = true, auth = true, catalog = true, ticket = true, payment = true, queue = true,
         waiting_room = true, worker = true;

    static Roles none() { return {false, false, false, false, false, false, false, false}; }
    bool all_services() const { return auth && catalog && ticket && payment && queue; }
    bool any_service() const { return auth || catalog || ticket || payment || queue; }
    // The worker goes by what stores there are, see read_roles.
    bool all() const { return gateway && all_services() && waiting_room; }
    // Those that publish or consume events.
    bool any_with_events() const { return ticket || payment || queue; }
    bool has(std::string_view role) const; // "gateway", …, "vwr", "worker"
    // Their names with commas between, or "urr".
    std::string text() const;
    bool operator==(const Roles&) const = default;
};

// Where a process listens for what one of its roles does.
struct Port {
    std::string_view role;
    std::string_view setting;
    bool operator==(const Port&) const = default;
};
// In the order in which serve opens them: no services where their callers are in the process.
std::vector<Port> ports_of(const Roles& roles);

// Which engines are configured that processes can share.
struct SharedEngines {
    bool stores = false; // PostgreSQL
    bool events = false; // Kafka
    bool memory = false; // Redis: revoked entries and the line, which ticket and queue share
    bool works = false;  // SQS: on its way to the ledger; without it, none on PostgreSQL
};

// BAD_REQUEST for an unknown one.
Result<Roles> roles_named(std::span<const std::string> names);
// None named: all. BAD_REQUEST with one clear line for an unknown role, and for a split that the
// engines do not allow: it lists all that is missing.
Result<Roles> read_roles(std::span<const std::string> names, const SharedEngines& engines = {});

} // namespace urr::app
