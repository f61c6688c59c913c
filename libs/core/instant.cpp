#include "libs/core/instant.hpp"

#include <cstdio>
#include <ctime>

#include "libs/core/clock.hpp"

namespace urr {

namespace {

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar
// (the era-based method of Howard Hinnant's "chrono-compatible low-level date algorithms").
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
    year -= month <= 2;
    const std::int64_t era = year / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int days_in_month(int year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

// Reads digits and fixed characters from the front of a text; one failure makes all that follow
// fail.
struct Scanner {
    std::string_view rest;
    bool ok = true;

    int digits(int count) {
        int value = 0;
        if (rest.size() < std::size_t(count)) ok = false;
        for (int i = 0; ok && i < count; ++i) {
            const char c = rest[std::size_t(i)];
            if (c < '0' || c > '9') ok = false;
            value = value * 10 + (c - '0');
        }
        if (ok) rest.remove_prefix(std::size_t(count));
        return value;
    }
    char one_of(std::string_view allowed) {
        if (!ok || rest.empty() || allowed.find(rest[0]) == std::string_view::npos) {
            ok = false;
            return 0;
        }
        const char c = rest[0];
        rest.remove_prefix(1);
        return c;
    }
    bool next_is(char c) const { return ok && !rest.empty() && rest[0] == c; }
};

std::int64_t scan_fraction(Scanner& scan) {
    std::int64_t us = 0;
    std::int64_t unit = 100'000;
    scan.one_of(".");
    us += scan.digits(1) * unit;
    while (scan.ok && !scan.rest.empty() && scan.rest[0] >= '0' && scan.rest[0] <= '9') {
        unit /= 10;
        if (unit == 0) scan.ok = false;
        us += scan.digits(1) * unit;
    }
    return us;
}

} // namespace

std::string to_rfc3339(Instant instant) {
    const std::time_t second = std::time_t(instant.us / 1'000'000);
    const int ms = int(instant.us / 1'000 % 1'000);
    std::tm utc{};
    gmtime_r(&second, &utc);
    char text[40];
    const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text + n, sizeof text - n, ".%03dZ", ms);
    return text;
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
    Scanner scan{text};
    const int year = scan.digits(4);
    scan.one_of("-");
    const int month = scan.digits(2);
    scan.one_of("-");
    const int day = scan.digits(2);
    scan.one_of("Tt");
    const int hour = scan.digits(2);
    scan.one_of(":");
    const int minute = scan.digits(2);
    scan.one_of(":");
    const int second = scan.digits(2);
    const std::int64_t fraction_us = scan.next_is('.') ? scan_fraction(scan) : 0;
    int offset_minutes = 0;
    const char zone = scan.one_of("Zz+-");
    if (zone == '+' || zone == '-') {
        const int offset_hour = scan.digits(2);
        scan.one_of(":");
        const int offset_minute = scan.digits(2);
        if (offset_hour > 23 || offset_minute > 59) return std::nullopt;
        offset_minutes = (zone == '-' ? -1 : 1) * (offset_hour * 60 + offset_minute);
    }
    if (!scan.ok || !scan.rest.empty() || year < 1970 || month < 1 || month > 12)
        return std::nullopt;
    if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const std::int64_t day_seconds = hour * 3600 + (minute - offset_minutes) * 60 + second;
    return Instant{(days_from_civil(year, month, day) * 86'400 + day_seconds) * 1'000'000 +
                   fraction_us};
}

namespace {

Instant read_clock(clockid_t which) {
    std::timespec t{};
    clock_gettime(which, &t);
    return {std::int64_t(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000};
}

} // namespace

Instant SystemClock::now() const { return read_clock(CLOCK_REALTIME); }

Instant SystemClock::steady() const { return read_clock(CLOCK_MONOTONIC); }

} // namespace urr
