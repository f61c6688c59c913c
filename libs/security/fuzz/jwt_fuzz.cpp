// Any bytes as a token: never accepted, never a crash. Bytes as the flat objects inside one, too.
#include <sodium.h>

#include <cstdlib>

#include "libs/security/base64url.hpp"
#include "libs/security/jwt.hpp"
#include "libs/security/jwt_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const urr::SigningKey key = urr::SigningKey::from_seed(urr::TokenType::access, "k", {});
    static const urr::PublicKeys keys = [] {
        urr::PublicKeys all;
        all.add(key);
        return all;
    }();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (urr::verify_token(keys, text, urr::TokenType::access, urr::Instant{})) std::abort();
    (void)urr::FlatObject::parse(text);
    // Signed by us, with claims made of these bytes: read or refused, never a crash.
    std::string token = urr::base64url(R"({"alg":"EdDSA","typ":"access","kid":"k"})");
    token += "." + urr::base64url(text);
    std::array<unsigned char, 64> signature;
    crypto_sign_ed25519_detached(signature.data(), nullptr,
                                 reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                                 key.secret.data());
    const auto claims = urr::verify_token(keys, token + "." + urr::base64url(signature),
                                          urr::TokenType::access, urr::Instant{});
    if (claims && claims->expires.us <= 0) std::abort(); // expired, and read all the same
    return 0;
}
