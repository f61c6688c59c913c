// Randomness, injected, so that the simulator can give every service its own seeded stream.
#pragma once
#include <cstdint>
#include <span>

namespace urr {

class Random {
public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;

    virtual void fill(std::span<unsigned char> bytes);
    // A number from 0 to n-1; n > 0. The bias is below n / 2^64.
    std::uint64_t below(std::uint64_t n);
    std::int64_t between(std::int64_t low, std::int64_t high);
    bool chance(unsigned permille) { return below(1000) < permille; }
};

// The kernel's generator by way of libsodium: for keys, tokens and ids. Callable from any thread.
class SystemRandom final : public Random {
public:
    SystemRandom();
    std::uint64_t next() override;
    void fill(std::span<unsigned char> bytes) override; // one call of the kernel
};

// SplitMix64 (Steele, Lea, Flood 2014): fast, repeatable, never for secrets. One thread.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() override;

private:
    std::uint64_t state_;
};

} // namespace urr
