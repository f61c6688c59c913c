// SHA-256 (FIPS 180-4) by blocks, on the processor's own instructions where it has them: every call
// between services carries an HMAC, and libsodium's portable code was a fifth of what an order
// cost. Values; copying a state is how a prepared key is used again. Pure.
//
//     Sha256 hash;
//     hash.update("abc");
//     std::array<unsigned char, 32> digest = hash.finish();
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace urr {

class Sha256 {
public:
    enum class Engine : std::uint8_t { portable, native };
    // The fastest that this processor has; `portable` is for tests.
    explicit Sha256(Engine engine = best()) : engine_(engine) {}
    static Engine best();

    void update(std::string_view bytes);
    // The digest of all that was given. The object is used up.
    std::array<unsigned char, 32> finish();

private:
    void compress(const unsigned char* blocks, std::size_t count);

    std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::uint64_t bytes_ = 0;
    std::array<unsigned char, 64> pending_; // the last bytes_ % 64 of it are there
    Engine engine_;
};

} // namespace urr
