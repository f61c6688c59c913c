#include "services/waiting_room/http/address_limit.hpp"

#include <cstring>

namespace urr::waiting_room {

// Multiply and fold, twice: spreads well enough for a table whose seed nobody outside knows.
std::uint64_t AddressLimit::key_of(const Address& address) const {
    std::uint64_t high, low;
    std::memcpy(&high, address.bytes.data(), 8);
    std::memcpy(&low, address.bytes.data() + 8, 8);
    if (high != 0) low = 0; // IPv6: by its /64; ::ffff:a.b.c.d has nothing in the upper half
    const auto mixed = static_cast<unsigned __int128>(high ^ seed_) * (low ^ 0x9E3779B97F4A7C15ull);
    const std::uint64_t folded = std::uint64_t(mixed) ^ std::uint64_t(mixed >> 64);
    const auto again = static_cast<unsigned __int128>(folded ^ seed_) * 0xD6E8FEB86659FD93ull;
    return (std::uint64_t(again) ^ std::uint64_t(again >> 64)) | 1;
}

// The bucket as a point in time that runs ahead of now by what was spent (GCRA): one permit moves
// it by 1/rate, it may stand at most burst/rate ahead.
bool AddressLimit::allow(const Address& address, Instant now) {
    const std::uint64_t key = key_of(address);
    Bucket* const set = set_of(key);
    Bucket* bucket = set;
    for (std::size_t i = 0; i < ways; ++i) {
        if (set[i].key == key) {
            bucket = &set[i];
            break;
        }
        if (set[i].level_us < bucket->level_us) bucket = &set[i];
    }
    if (bucket->key != key) *bucket = {key, now.us};
    const std::int64_t cost = cost_us();
    const std::int64_t level = (bucket->level_us > now.us ? bucket->level_us : now.us) + cost;
    if (level > now.us + cost * std::int64_t(settings_.burst)) return false;
    bucket->level_us = level;
    return true;
}

void AddressLimit::give_back(const Address& address) {
    const std::uint64_t key = key_of(address);
    Bucket* const set = set_of(key);
    for (std::size_t i = 0; i < ways; ++i)
        if (set[i].key == key) set[i].level_us -= cost_us();
}

} // namespace urr::waiting_room
