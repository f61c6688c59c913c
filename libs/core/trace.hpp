// The W3C trace context of a request: which trace it belongs to and which span called.
// Source: https://www.w3.org/TR/trace-context/ (version 00).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/random.hpp"

namespace urr {

struct Trace {
    std::uint64_t high = 0; // the trace id's 16 bytes; both zero: no trace
    std::uint64_t low = 0;
    std::uint64_t span = 0;
    bool sampled = false;

    bool operator==(const Trace&) const = default;
    bool is_zero() const { return high == 0 && low == 0; }
    // 32 hexadecimal digits: what people search the logs for.
    std::string id_text() const;
    // 00-<trace>-<span>-<flags>
    std::string traceparent() const;
    // The id_text() in a traceparent().
    static std::string_view id_in(std::string_view traceparent) {
        return traceparent.substr(3, 32);
    }

    static Trace make(Random& random, bool sampled);
    // The same trace with a span of its own.
    Trace child(Random& random) const;
};

// Strict: lower case, version 00, no zero id.
std::optional<Trace> parse_traceparent(std::string_view text);

} // namespace urr
