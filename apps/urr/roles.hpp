// What one process does of an installation: `urr serve [role…]`.
//
// On embedded stores auth, catalog, ticket, payment and queue share files and memory, so they run
// in one process; only the gateway and the waiting room (vwr) may run apart from them.
#pragma once
#include <span>
#include <string>

#include "libs/core/result.hpp"

namespace urr::app {

struct Roles {
    bool gateway = true, services = true, waiting_room = true;
    bool all() const { return gateway && services && waiting_room; }
};

// None named: all. BAD_REQUEST with one clear line for an unknown role and for a split that the
// embedded stores do not allow.
Result<Roles> read_roles(std::span<const std::string> names);

} // namespace urr::app
