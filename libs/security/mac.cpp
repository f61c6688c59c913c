#include "libs/security/mac.hpp"

#include <sodium.h>

#include <cstring>

namespace urr {

namespace {

using State = crypto_auth_hmacsha256_state;

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

Digest sha256(std::string_view bytes) {
    Digest digest;
    crypto_hash_sha256(digest.data(), raw(bytes), bytes.size());
    return digest;
}

std::string hex(std::span<const unsigned char> bytes) {
    std::string text;
    for (const unsigned char byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

HmacKey::HmacKey(std::string_view key) {
    static_assert(sizeof(State) <= sizeof state_);
    State state;
    crypto_auth_hmacsha256_init(&state, raw(key), key.size());
    std::memcpy(state_.data(), &state, sizeof state);
}

Digest HmacKey::code(std::string_view message) const {
    State state;
    std::memcpy(&state, state_.data(), sizeof state);
    Digest digest;
    crypto_auth_hmacsha256_update(&state, raw(message), message.size());
    crypto_auth_hmacsha256_final(&state, digest.data());
    return digest;
}

bool HmacKey::matches(std::string_view message, std::span<const unsigned char> code_given) const {
    return same_code(code(message), code_given);
}

ShortCode short_code(const SecretKey& key, std::span<const unsigned char> message) {
    ShortCode code;
    crypto_generichash_blake2b(code.data(), code.size(), message.data(), message.size(), key.data(),
                               key.size());
    return code;
}

bool same_code(std::span<const unsigned char> a, std::span<const unsigned char> b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace urr
