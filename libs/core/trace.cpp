#include "libs/core/trace.hpp"

#include <array>
#include <cstring>

namespace urr {

namespace {

constexpr auto digits_of_byte = [] {
    std::array<std::array<char, 2>, 256> table;
    for (std::size_t i = 0; i < 256; ++i)
        table[i] = {"0123456789abcdef"[i >> 4], "0123456789abcdef"[i & 15]};
    return table;
}();

// Sixteen digits from `at` on: every request has its trace written several times.
void put_hex(std::string& out, std::size_t at, std::uint64_t value) {
    char* to = out.data() + at;
    for (int shift = 56; shift >= 0; shift -= 8, to += 2)
        std::memcpy(to, digits_of_byte[(value >> shift) & 255].data(), 2);
}

std::optional<std::uint64_t> read_hex(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c >= '0' && c <= '9')
            value = value * 16 + std::uint64_t(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + std::uint64_t(c - 'a' + 10);
        else
            return std::nullopt;
    }
    return value;
}

} // namespace

std::string Trace::id_text() const {
    std::string text(32, '0');
    put_hex(text, 0, high);
    put_hex(text, 16, low);
    return text;
}

std::string Trace::traceparent() const {
    std::string text(55, '-');
    text[0] = text[1] = text[53] = '0';
    put_hex(text, 3, high);
    put_hex(text, 19, low);
    put_hex(text, 36, span);
    text[54] = sampled ? '1' : '0';
    return text;
}

Trace Trace::make(Random& random, bool sampled) {
    return {random.next(), random.next() | 1, random.next() | 1, sampled};
}

Trace Trace::child(Random& random) const { return {high, low, random.next() | 1, sampled}; }

std::optional<Trace> parse_traceparent(std::string_view text) {
    if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-')
        return std::nullopt;
    const auto high = read_hex(text.substr(3, 16));
    const auto low = read_hex(text.substr(19, 16));
    const auto span = read_hex(text.substr(36, 16));
    const auto flags = read_hex(text.substr(53, 2));
    if (!high || !low || !span || !flags || *span == 0) return std::nullopt;
    const Trace trace{*high, *low, *span, (*flags & 1) != 0};
    if (trace.is_zero()) return std::nullopt;
    return trace;
}

} // namespace urr
