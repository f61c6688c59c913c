// Points in time and spans of it, in whole microseconds. What a point counts from depends on the
// clock it came from: the wall clocks count from 1970 (UTC), a loop's clock from an arbitrary
// start. <chrono> would cost every unit half a second of compile time, so these two are ours.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace urr {

struct Duration {
    std::int64_t us = 0;
    auto operator<=>(const Duration&) const = default;
};

constexpr Duration microseconds(std::int64_t n) { return {n}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
constexpr Duration hours(std::int64_t n) { return minutes(n * 60); }
constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
constexpr Duration operator/(Duration a, std::int64_t n) { return {a.us / n}; }

struct Instant {
    std::int64_t us = 0;
    auto operator<=>(const Instant&) const = default;
};

inline constexpr Instant never{INT64_MAX};

constexpr Instant operator+(Instant a, Duration d) {
    return a == never ? never : Instant{a.us + d.us};
}
constexpr Instant operator-(Instant a, Duration d) {
    return a == never ? never : Instant{a.us - d.us};
}
constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }

// RFC 3339 in UTC with milliseconds: 2026-11-24T11:00:00.000Z
std::string to_rfc3339(Instant instant);
// Accepts what RFC 3339 allows between the years 1970 and 9999, any offset, up to six digits of a
// second's fraction; leap seconds are refused.
std::optional<Instant> parse_rfc3339(std::string_view text);

} // namespace urr
