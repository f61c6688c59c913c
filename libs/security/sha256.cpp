#include "libs/security/sha256.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace urr {

namespace {

using State = std::array<std::uint32_t, 8>;

alignas(16) constexpr std::uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian(const unsigned char* bytes) {
    return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
           std::uint32_t(bytes[2]) << 8 | bytes[3];
}

// FIPS 180-4 §6.2.2, as it stands there.
void compress_portable(State& state, const unsigned char* block) {
    std::uint32_t w[64];
    for (int t = 0; t < 16; ++t) w[t] = big_endian(block + 4 * t);
    for (int t = 16; t < 64; ++t) {
        const std::uint32_t x = w[t - 15], y = w[t - 2];
        const std::uint32_t s0 = std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3);
        const std::uint32_t s1 = std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10);
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (int t = 0; t < 64; ++t) {
        const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
        const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[t] + w[t];
        const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
        const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::uint32_t added[8] = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += added[i];
}

#if defined(__x86_64__)

// The SHA extensions keep the state as ABEF and CDGH, and do two rounds an instruction (Intel,
// "New Instructions Supporting the Secure Hash Algorithm", 2013). Of the message schedule there are
// four words in a register, sixteen in four of them, used round about.
__attribute__((target("sha,sse4.1,ssse3"))) void
compress_native(State& state, const unsigned char* block, std::size_t count) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data()));      // DCBA
    __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data() + 4)); // HGFE
    low = _mm_shuffle_epi32(low, 0xb1);                                                 // CDAB
    high = _mm_shuffle_epi32(high, 0x1b);                                               // EFGH
    __m128i abef = _mm_alignr_epi8(low, high, 8);
    __m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; count > 0; --count, block += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; ++i)
            w[i] = _mm_shuffle_epi8(
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i)), swap);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; ++i) { // four rounds each
            __m128i& now = w[i % 4];
            if (i >= 4) {
                const __m128i& last = w[(i + 3) % 4];
                now = _mm_sha256msg1_epu32(now, w[(i + 1) % 4]);
                now = _mm_add_epi32(now, _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
                now = _mm_sha256msg2_epu32(now, last);
            }
            const __m128i sum = _mm_add_epi32(
                now, _mm_load_si128(reinterpret_cast<const __m128i*>(constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);  // FEBA
    high = _mm_shuffle_epi32(cdgh, 0xb1); // DCHG
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(high, low, 8));
}

bool has_native() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA)) return false;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
}

#else

void compress_native(State&, const unsigned char*, std::size_t) {}
bool has_native() { return false; }

#endif

} // namespace

Sha256::Engine Sha256::best() {
    static const Engine engine = has_native() ? Engine::native : Engine::portable;
    return engine;
}

void Sha256::compress(const unsigned char* blocks, std::size_t count) {
    if (engine_ == Engine::native) return compress_native(state_, blocks, count);
    for (; count > 0; --count, blocks += 64) compress_portable(state_, blocks);
}

void Sha256::update(std::string_view text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t left = text.size();
    const std::size_t pending = bytes_ % 64;
    bytes_ += left;
    if (pending) {
        const std::size_t taken = std::min(left, 64 - pending);
        std::memcpy(pending_.data() + pending, bytes, taken);
        bytes += taken;
        left -= taken;
        if (pending + taken < 64) return;
        compress(pending_.data(), 1);
    }
    if (left >= 64) compress(bytes, left / 64);
    if (left % 64) std::memcpy(pending_.data(), bytes + left / 64 * 64, left % 64);
}

std::array<unsigned char, 32> Sha256::finish() {
    const std::uint64_t bits = bytes_ * 8;
    std::array<unsigned char, 128> end{};
    const std::size_t pending = bytes_ % 64;
    std::memcpy(end.data(), pending_.data(), pending);
    end[pending] = 0x80;
    const std::size_t size = pending < 56 ? 64 : 128;
    for (std::size_t i = 0; i < 8; ++i) end[size - 1 - i] = (unsigned char)(bits >> (8 * i));
    compress(end.data(), size / 64);
    std::array<unsigned char, 32> digest;
    for (std::size_t i = 0; i < 8; ++i)
        for (std::size_t k = 0; k < 4; ++k)
            digest[4 * i + k] = (unsigned char)(state_[i] >> (24 - 8 * k));
    return digest;
}

} // namespace urr
