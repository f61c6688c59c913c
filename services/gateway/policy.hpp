// What the gateway knows of a request's path: which service it belongs to and what its route needs.
// The needs stand as `x-urr` in api/openapi.yaml and are compiled in (operations()); `Routes` finds
// them without allocating. A path that the contract does not know goes by its prefix to the
// service, which says 404: so a service may be newer than the gateway. Pure, any thread.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libs/http/message.hpp"

namespace urr::gateway {

enum class Target : std::uint8_t { auth, payment, catalog, ticket, queue, waiting_room };
inline constexpr std::size_t targets = 6;
std::string_view target_name(Target target);

enum class Limit : std::uint8_t { auth, queue, booking, general, webhook, exempt };

// One operation of the contract.
struct Operation {
    Method method;
    std::string_view path; // "/api/v1/seats/{eventId}"
    Target target;
    Limit limit;
    Role role; // the least one; anonymous: any
    bool user; // must be signed in
    bool entry;
    bool idempotency;
    bool internal;       // never forwarded
    bool upload = false; // its body may be larger than others'
};

// From api/openapi.yaml, made while building.
std::span<const Operation> operations();

class Routes {
public:
    explicit Routes(std::span<const Operation> operations);

    struct Found {
        const Operation* operation = nullptr;
        bool path_known = false;  // nullptr and known: another method
        bool internal = false;    // known, but not from outside
        std::uint8_t methods = 0; // of a known path, a bit each
    };
    // A fixed segment wins over a {name}; HEAD counts as GET.
    Found find(Method method, std::string_view path) const;

private:
    struct Node {
        std::string_view segment;             // "{…}": any
        std::uint16_t child = 0, sibling = 0; // 0: none
        std::array<const Operation*, 5> by_method{};
    };
    void insert(const Operation& operation);
    void find(std::uint16_t node, std::string_view path, std::size_t method, Found& found) const;
    std::vector<Node> nodes_;
};

// "GET, HEAD, POST" of Found::methods.
std::string allow_text(std::uint8_t methods);

// What a path that the contract does not know needs, by its prefix; empty: no service has it.
std::optional<Operation> needs_by_prefix(Method method, std::string_view path);

} // namespace urr::gateway
