// Any bytes as a token: never accepted, never a crash. Bytes as the flat objects inside one, too.
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
    // Signed by us, but with claims made of these bytes: read or refused, never a crash.
    const std::string head = urr::base64url(R"({"alg":"EdDSA","typ":"access","kid":"k"})");
    (void)urr::verify_token(keys, head + "." + urr::base64url(text) + ".AAAA",
                            urr::TokenType::access, urr::Instant{});
    return 0;
}
