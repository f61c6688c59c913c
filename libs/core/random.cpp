#include "libs/core/random.hpp"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

namespace urr {

void Random::fill(std::span<unsigned char> bytes) {
    while (!bytes.empty()) {
        const std::uint64_t word = next();
        const std::size_t n = bytes.size() < 8 ? bytes.size() : 8;
        std::memcpy(bytes.data(), &word, n);
        bytes = bytes.subspan(n);
    }
}

std::uint64_t Random::below(std::uint64_t n) {
    return std::uint64_t((static_cast<unsigned __int128>(next()) * n) >> 64);
}

std::int64_t Random::between(std::int64_t low, std::int64_t high) {
    return low + std::int64_t(below(std::uint64_t(high - low) + 1));
}

SystemRandom::SystemRandom() {
    if (sodium_init() < 0) std::abort(); // no source of randomness: nothing may be signed
}

std::uint64_t SystemRandom::next() {
    std::uint64_t word = 0;
    randombytes_buf(&word, sizeof word);
    return word;
}

void SystemRandom::fill(std::span<unsigned char> bytes) {
    randombytes_buf(bytes.data(), bytes.size());
}

std::uint64_t SeededRandom::next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

} // namespace urr
