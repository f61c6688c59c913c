// Money as a whole number of the currency's minor unit: KRW has none, so ₩1,000 is 1000.
#pragma once
#include <compare>
#include <cstdint>

namespace urr {

struct Won {
    std::int64_t amount = 0;
    auto operator<=>(const Won&) const = default;
};

constexpr Won operator+(Won a, Won b) { return {a.amount + b.amount}; }
constexpr Won operator-(Won a, Won b) { return {a.amount - b.amount}; }
constexpr Won operator*(Won a, std::int64_t n) { return {a.amount * n}; }

inline constexpr const char* currency_krw = "KRW";

} // namespace urr
