// The keys of one role, as it is built: what its row of the table says (key_needs.hpp), read from
// the data folder. To ask for a key that is not in the row is a mistake of ours.
//
//     const RoleKeys keys(folder, "payment");
//     CallerKey to_ticket = TRY_PLAIN(keys.to("ticket"));   // UNAVAILABLE names the file
#pragma once
#include <string>

#include "apps/urr/key_needs.hpp"
#include "libs/contract/caller.hpp"
#include "libs/security/mac.hpp"

namespace urr::app {

class RoleKeys {
public:
    RoleKeys(std::string data_folder, std::string_view role);

    Result<SigningKey> signing(TokenType type) const;
    Result<PublicKeys> verifying() const; // all that it verifies with
    // One of its own.
    Result<SecretKey> secret(std::string_view name) const;
    Result<HmacKey> hmac(std::string_view name) const;
    Result<CallerKeys> callers() const;                   // of those who may call it
    Result<CallerKey> to(std::string_view service) const; // as whom it calls that one

private:
    const std::string folder_;
    const KeyNeeds& needs_;
};

} // namespace urr::app
