#include "apps/urr/role_keys.hpp"

#include <algorithm>
#include <cassert>

#include "apps/urr/keys.hpp"

namespace urr::app {

namespace {

const KeyNeeds& needs_of(std::string_view role) {
    const auto found = std::ranges::find(key_needs(), role, &KeyNeeds::role);
    assert(found != key_needs().end());
    return *found;
}

bool has(const auto& row, const auto& what) { return std::ranges::find(row, what) != row.end(); }

Result<HmacKey> hmac_key(const std::string& folder, std::string_view name) {
    const SecretKey key = TRY_PLAIN(secret_key(folder, name));
    return HmacKey({reinterpret_cast<const char*>(key.data()), key.size()});
}

} // namespace

RoleKeys::RoleKeys(std::string data_folder, std::string_view role)
    : folder_(std::move(data_folder)), needs_(needs_of(role)) {}

Result<SigningKey> RoleKeys::signing(TokenType type) const {
    assert(has(needs_.signs, type));
    return signing_key(folder_, type);
}

Result<PublicKeys> RoleKeys::verifying() const { return public_keys(folder_, needs_.verifies); }

Result<SecretKey> RoleKeys::secret(std::string_view name) const {
    assert(has(needs_.own, name));
    return secret_key(folder_, name);
}

Result<HmacKey> RoleKeys::hmac(std::string_view name) const {
    assert(has(needs_.own, name));
    return hmac_key(folder_, name);
}

Result<CallerKeys> RoleKeys::callers() const {
    CallerKeys keys;
    for (const std::string_view caller : needs_.called_by)
        keys.emplace(caller, TRY_PLAIN(hmac_key(folder_, name_of_caller_key(caller, needs_.role))));
    return keys;
}

Result<CallerKey> RoleKeys::to(std::string_view service) const {
    assert(has(needs_.calls, service));
    return CallerKey{std::string(needs_.role),
                     TRY_PLAIN(hmac_key(folder_, name_of_caller_key(needs_.role, service)))};
}

} // namespace urr::app
