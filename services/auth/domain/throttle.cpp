#include "services/auth/domain/throttle.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace urr::auth {

Throttle::Throttle(ThrottleRule rule, std::size_t cells_per_row)
    : rule_(rule), row_(cells_per_row), empty_us_(cells_per_row * 2) {
    assert(rule.burst > 0 && cells_per_row > 0);
}

std::array<std::size_t, 2> Throttle::cells_of(const ShortCode& key) const {
    std::uint64_t first, second;
    std::memcpy(&first, key.data(), 8);
    std::memcpy(&second, key.data() + 8, 8);
    return {first % row_, row_ + second % row_};
}

Duration Throttle::wait(const ShortCode& key, Instant now) const {
    const auto [a, b] = cells_of(key);
    // A try fits while the cell drains within burst - 1 refills.
    const std::int64_t level_us = std::min(empty_us_[a], empty_us_[b]) - now.us;
    return {std::max<std::int64_t>(0, level_us - (rule_.refill * (rule_.burst - 1)).us)};
}

void Throttle::count(const ShortCode& key, Instant now) {
    for (const std::size_t cell : cells_of(key))
        empty_us_[cell] = std::max(empty_us_[cell], now.us) + rule_.refill.us;
}

void Throttle::give_back(const ShortCode& key) {
    for (const std::size_t cell : cells_of(key)) empty_us_[cell] -= rule_.refill.us;
}

} // namespace urr::auth
