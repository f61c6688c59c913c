// Digests and keyed codes: SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), and a short keyed code of
// 128 bits (keyed BLAKE2b, RFC 7693) for what is checked at every request.
#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "libs/security/sha256.hpp"

namespace urr {

using Digest = std::array<unsigned char, 32>;
using ShortCode = std::array<unsigned char, 16>;
using SecretKey = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
std::string hex(std::span<const unsigned char> bytes);

// A key with its first block hashed already: one code costs two blocks less.
class HmacKey {
public:
    explicit HmacKey(std::string_view key);
    Digest code(std::string_view message) const;
    // In constant time.
    bool matches(std::string_view message, std::span<const unsigned char> code) const;

private:
    Sha256 inner_, outer_;
};

ShortCode short_code(const SecretKey& key, std::span<const unsigned char> message);
// In constant time; false when the lengths differ.
bool same_code(std::span<const unsigned char> a, std::span<const unsigned char> b);

} // namespace urr
