#include "services/auth/tokens.hpp"

#include "libs/security/base64url.hpp"

namespace urr::auth {

std::string Tokens::access_token(const User& user, SessionId session, IdBytes id, Instant now,
                                 Instant expires) const {
    Claims claims;
    claims.type = TokenType::access;
    claims.subject = user.id;
    claims.id = id;
    claims.issued = now;
    claims.expires = expires;
    claims.email = user.email;
    claims.email_verified = user.verified;
    claims.role = user.role;
    claims.session = session;
    return sign_token(access_, claims);
}

std::string Tokens::first_refresh_token(Random& random) const {
    SecretKey bytes;
    random.fill(bytes);
    return base64url(bytes);
}

std::string Tokens::successor_of(std::string_view refresh_token) const {
    return base64url(secret_.code("refresh:" + std::string(refresh_token)));
}

std::string Tokens::mailed_token(MailedTokenId id, Purpose purpose) const {
    const std::string_view prefix = purpose == Purpose::confirm ? "confirm:" : "reset:";
    return base64url(secret_.code(std::string(prefix) + id.text()));
}

} // namespace urr::auth
