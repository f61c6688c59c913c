#include "libs/security/mac.hpp"

#include <sodium.h>

#include <algorithm>

namespace urr {

Digest sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
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
    std::array<unsigned char, 64> block{};
    if (key.size() > block.size()) {
        const Digest shorter = sha256(key);
        std::copy(shorter.begin(), shorter.end(), block.begin());
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    const auto text = [&] {
        return std::string_view(reinterpret_cast<const char*>(block.data()), block.size());
    };
    for (unsigned char& byte : block) byte ^= 0x36;
    inner_.update(text());
    for (unsigned char& byte : block) byte ^= 0x36 ^ 0x5c;
    outer_.update(text());
    sodium_memzero(block.data(), block.size());
}

Digest HmacKey::code(std::string_view message) const {
    Sha256 inner = inner_, outer = outer_;
    inner.update(message);
    const Digest digest = inner.finish();
    outer.update({reinterpret_cast<const char*>(digest.data()), digest.size()});
    return outer.finish();
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
