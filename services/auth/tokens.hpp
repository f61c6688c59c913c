// The tokens that auth makes: signed ones that anybody checks, and opaque ones that it alone knows
// again by their SHA-256. The opaque ones that follow from others are keyed codes, so that they
// can be told again after a crash without being kept.
#pragma once
#include <string>
#include <string_view>

#include "libs/security/jwt.hpp"
#include "libs/security/mac.hpp"
#include "services/auth/store/mailed_tokens.hpp"
#include "services/auth/store/users.hpp"

namespace urr::auth {

class Tokens {
public:
    // `secret` makes refresh tokens' successors and mailed tokens: with another one the outstanding
    // mails are worth nothing, and a refresh whose answer was lost must sign in again.
    Tokens(SigningKey access, HmacKey secret) : access_(std::move(access)), secret_(secret) {}

    std::string access_token(const User& user, SessionId session, IdBytes id, Instant now,
                             Instant expires) const;
    std::string first_refresh_token(Random& random) const;
    std::string successor_of(std::string_view refresh_token) const;
    std::string mailed_token(MailedTokenId id, Purpose purpose) const;

private:
    const SigningKey access_;
    const HmacKey secret_;
};

// By what a store knows an opaque token again.
inline Digest token_hash(std::string_view token) { return sha256(token); }

} // namespace urr::auth
