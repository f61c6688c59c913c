// Figures for Prometheus, in its text format 0.0.4 (https://prometheus.io/docs/instrumenting/
// exposition_formats/). A component keeps Counters, Gauges and Histograms as plain members of one
// struct in its metrics.hpp and writes all of them into a MetricsText when asked.
//
//     struct Metrics { Counter holds; Histogram hold_time; void write(MetricsText& out) const; };
//     out.counter("urr_ticket_holds_total", "Seats held.", metrics.holds);
//     out.counter("urr_ticket_refused_total", "Holds refused.", metrics.taken,
//     "code=\"SEAT_TAKEN\"");
//
// Any thread may read; Counter and Histogram may be written by any thread too.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/core/instant.hpp"

namespace urr {

class Counter {
public:
    void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

// How long things took: buckets from 100 µs to 10 s.
class Histogram {
public:
    static constexpr std::array<std::int64_t, 15> bounds_us = {
        100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
        50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

    void observe(Duration took);
    // Of bucket i, not cumulative; the last one has what is longer than every bound.
    std::uint64_t bucket(std::size_t i) const {
        return buckets_[i].load(std::memory_order_relaxed);
    }
    std::int64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

private:
    std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> buckets_{};
    std::atomic<std::int64_t> sum_us_{0};
};

// One scrape. The lines of one name must follow each other: HELP and TYPE are written once.
// `labels` is `name="value",…` without braces, constants of the program.
class MetricsText {
public:
    void counter(std::string_view name, std::string_view help, std::uint64_t value,
                 std::string_view labels = {});
    void counter(std::string_view name, std::string_view help, const Counter& value,
                 std::string_view labels = {}) {
        counter(name, help, value.value(), labels);
    }
    void gauge(std::string_view name, std::string_view help, std::int64_t value,
               std::string_view labels = {});
    void histogram(std::string_view name, std::string_view help, const Histogram& value,
                   std::string_view labels = {});
    // Lines made elsewhere.
    void append(std::string_view lines) { text_ += lines; }
    const std::string& text() const { return text_; }

private:
    void head(std::string_view name, std::string_view help, std::string_view type);
    void line(std::string_view name, std::string_view suffix, std::string_view labels,
              std::string_view value);

    std::string text_, last_name_;
};

inline constexpr std::string_view type_metrics = "text/plain; version=0.0.4; charset=utf-8";

} // namespace urr
