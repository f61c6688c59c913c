#include "apps/urr/roles.hpp"

#include <algorithm>

namespace urr::app {

namespace {

constexpr std::string_view services[] = {"auth", "catalog", "ticket", "payment", "queue"};

bool has(std::span<const std::string> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

} // namespace

Result<Roles> read_roles(std::span<const std::string> names) {
    if (names.empty()) return Roles{};
    for (const std::string& name : names)
        if (name != "gateway" && name != "vwr" &&
            std::ranges::find(services, name) == std::end(services))
            return fail(Code::BAD_REQUEST,
                        "unknown role " + name +
                            ": the roles are gateway, auth, catalog, ticket, payment, queue, vwr");
    std::string missing;
    bool any = false;
    for (const std::string_view service : services) {
        if (has(names, service))
            any = true;
        else
            missing += " " + std::string(service);
    }
    if (any && !missing.empty())
        return fail(Code::BAD_REQUEST,
                    "on embedded stores auth, catalog, ticket, payment and queue run in one "
                    "process: add" +
                        missing);
    return Roles{has(names, "gateway"), any, has(names, "vwr")};
}

} // namespace urr::app
