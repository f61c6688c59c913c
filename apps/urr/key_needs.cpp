#include "apps/urr/key_needs.hpp"

namespace urr::app {

namespace {

using enum TokenType;

constexpr KeyNeeds table[] = {
    {.role = "gateway",
     .verifies = {access, entry},
     .own = {"device"},
     .calls = {"auth", "catalog", "ticket", "payment", "queue"}},
    {.role = "auth",
     .signs = {access},
     .verifies = {access},
     .own = {"auth-tokens"},
     .called_by = {"gateway"}},
    {.role = "catalog", .called_by = {"gateway", "queue"}},
    {.role = "ticket", .signs = {ticket}, .called_by = {"gateway", "payment"}},
    {.role = "payment", .own = {"payment-bodies"}, .called_by = {"gateway"}, .calls = {"ticket"}},
    {.role = "queue",
     .signs = {place, entry},
     .verifies = {vwr, place, entry},
     .called_by = {"gateway"},
     .calls = {"catalog", "vwr"}},
    {.role = "vwr", .signs = {vwr}, .own = {"receipt"}, .called_by = {"queue"}},
};

} // namespace

std::span<const KeyNeeds> key_needs() { return table; }

NeededKeys keys_needed_by(const Roles& roles) {
    NeededKeys needed;
    for (const KeyNeeds& row : table) {
        if (!roles.has(row.role)) continue;
        needed.signs.insert(row.signs.begin(), row.signs.end());
        needed.verifies.insert(row.verifies.begin(), row.verifies.end());
        needed.secrets.insert(row.own.begin(), row.own.end());
        for (const std::string_view caller : row.called_by)
            needed.secrets.insert(name_of_caller_key(caller, row.role));
        for (const std::string_view service : row.calls)
            needed.secrets.insert(name_of_caller_key(row.role, service));
    }
    return needed;
}

std::string name_of_caller_key(std::string_view caller, std::string_view service) {
    return std::string(caller) + "-" + std::string(service);
}

} // namespace urr::app
