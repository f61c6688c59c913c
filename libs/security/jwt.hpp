// Tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), and nothing but those. Each
// kind has a signer, a `typ` and an `aud` of its own, so that one can never stand for another.
//
//     std::string token = sign_token(key, claims);
//     Claims claims = TRY_PLAIN(verify_token(keys, token, TokenType::access, now));
//
// Signing is deterministic: the same claims give the same token, so any pod mints it again.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/core/result.hpp"

namespace urr {

// access: signed in (auth). vwr: through the waiting room. place: a place in the line and entry:
// the way to the seats (queue). ticket: the code at the gate (ticket).
enum class TokenType : std::uint8_t { access, vwr, place, entry, ticket };
inline constexpr std::size_t token_types = 5;
std::string_view token_type_name(TokenType type);

// A sign-in: the family of its refresh tokens, and all access tokens that came of them.
using SessionId = Id<struct SessionKind>;

struct Claims {
    TokenType type = TokenType::access;
    AccountId subject; // zero where the token is for whoever holds it
    IdBytes id{};      // jti
    EventId event;     // zero where it is for no event
    Instant issued;    // whole seconds in the token
    Instant expires;
    // access
    std::string email;
    bool email_verified = false;
    Role role = Role::anonymous;
    SessionId session; // sid; zero where the token names none: it counts until it expires
    // vwr, place: the place in the line (epoch, phase, position)
    std::uint64_t epoch = 0;
    std::uint32_t phase = 0;
    std::uint64_t position = 0;
    std::uint64_t arrival = 0; // place: the number in tier 2
    // ticket
    std::int64_t seat = 0;
    std::uint64_t serial = 0;
};

struct SigningKey {
    TokenType type = TokenType::access;
    std::string kid;
    std::array<unsigned char, 64> secret{}; // libsodium's form: seed and public key
    std::array<unsigned char, 32> public_key() const;
    static SigningKey from_seed(TokenType type, std::string kid,
                                const std::array<unsigned char, 32>& seed);
};

struct PublicKey {
    TokenType type = TokenType::access;
    std::string kid;
    std::array<unsigned char, 32> bytes{};
    Instant until = never; // when a key that was replaced stops to count
};

// The keys that are accepted: today's and, while they overlap, yesterday's.
class PublicKeys {
public:
    void add(PublicKey key) { keys_.push_back(std::move(key)); }
    void add(const SigningKey& key) { add({key.type, key.kid, key.public_key(), never}); }
    const PublicKey* find(TokenType type, std::string_view kid) const;
    // RFC 7517, for /.well-known/jwks.json; the keys of that type that count at that time.
    std::string jwks(TokenType type, Instant now) const;

private:
    std::vector<PublicKey> keys_;
};

inline constexpr std::size_t token_bytes_max = 4096;

std::string sign_token(const SigningKey& key, const Claims& claims);
// TOKEN_INVALID with the reason for anything but a good token of that type at that time. No clock
// tolerance: signer and verifier share the store's or the host's time.
Result<Claims> verify_token(const PublicKeys& keys, std::string_view token, TokenType type,
                            Instant now);

} // namespace urr
