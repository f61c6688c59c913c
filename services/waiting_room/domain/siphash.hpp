// SipHash-2-4 with a tag of 128 bits: a keyed code for short messages that costs the door a fifth
// of what a general hash costs (libsodium's crypto_shorthash gives 64 bits only, too few to sign
// with). Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012, and the authors'
// reference implementation (github.com/veorq/SipHash, siphash.c, outlen 16). Little-endian
// machines.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace urr::waiting_room {

using SipKey = std::array<unsigned char, 16>;
using SipTag = std::array<unsigned char, 16>;

class SipHash {
public:
    static SipTag tag(const SipKey& key, std::span<const unsigned char> message) {
        static_assert(std::endian::native == std::endian::little);
        SipHash state(word(key.data()), word(key.data() + 8));
        std::size_t at = 0;
        for (; at + 8 <= message.size(); at += 8) state.absorb(word(message.data() + at));
        std::uint64_t last = std::uint64_t(message.size()) << 56;
        for (int shift = 0; at < message.size(); ++at, shift += 8)
            last |= std::uint64_t(message[at]) << shift;
        state.absorb(last);
        const std::uint64_t first = state.first_half();
        const std::uint64_t halves[2] = {first, state.second_half()};
        SipTag out;
        std::memcpy(out.data(), halves, sizeof halves);
        return out;
    }

private:
    SipHash(std::uint64_t k0, std::uint64_t k1)
        : a_(k0 ^ 0x736f6d6570736575), b_(k1 ^ 0x646f72616e646f6d ^ 0xee),
          c_(k0 ^ 0x6c7967656e657261), d_(k1 ^ 0x7465646279746573) {}
    static std::uint64_t word(const unsigned char* bytes) {
        std::uint64_t value;
        std::memcpy(&value, bytes, 8);
        return value;
    }
    void round() {
        a_ += b_, b_ = std::rotl(b_, 13) ^ a_, a_ = std::rotl(a_, 32);
        c_ += d_, d_ = std::rotl(d_, 16) ^ c_;
        a_ += d_, d_ = std::rotl(d_, 21) ^ a_;
        c_ += b_, b_ = std::rotl(b_, 17) ^ c_, c_ = std::rotl(c_, 32);
    }
    void absorb(std::uint64_t block) {
        d_ ^= block;
        round(), round();
        a_ ^= block;
    }
    std::uint64_t first_half() {
        c_ ^= 0xee;
        return four_rounds();
    }
    std::uint64_t second_half() {
        b_ ^= 0xdd;
        return four_rounds();
    }
    std::uint64_t four_rounds() {
        round(), round(), round(), round();
        return a_ ^ b_ ^ c_ ^ d_;
    }

    std::uint64_t a_, b_, c_, d_;
};

} // namespace urr::waiting_room
