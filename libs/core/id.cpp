#include "libs/core/id.hpp"

namespace urr {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

constexpr std::array<signed char, 256> hex_values = [] {
    std::array<signed char, 256> table;
    table.fill(-1);
    for (int i = 0; i < 16; ++i) {
        table[std::size_t(hex_digits[i])] = (signed char)i;
        if (i >= 10) table[std::size_t(hex_digits[i] - 32)] = (signed char)i;
    }
    return table;
}();

// Where the digits of each byte stand in 8-4-4-4-12.
constexpr unsigned char places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

} // namespace

IdBytes make_id_bytes(Instant now, Random& random) {
    IdBytes bytes;
    random.fill(bytes);
    const std::uint64_t ms = std::uint64_t(now.us / 1'000);
    for (int i = 0; i < 6; ++i) bytes[std::size_t(i)] = (unsigned char)(ms >> (8 * (5 - i)));
    const std::uint64_t fraction = std::uint64_t(now.us % 1'000) * 4'096 / 1'000;
    bytes[6] = (unsigned char)(0x70 | (fraction >> 8));
    bytes[7] = (unsigned char)fraction;
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    return bytes;
}

std::string id_text(const IdBytes& bytes) {
    std::string text(36, '-');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text[places[i]] = hex_digits[bytes[i] >> 4];
        text[places[i] + 1] = hex_digits[bytes[i] & 15];
    }
    return text;
}

// Every request of the hot paths names an event: no branch until all has been looked at.
std::optional<IdBytes> parse_id(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    IdBytes bytes;
    int foreign = (text[8] ^ '-') | (text[13] ^ '-') | (text[18] ^ '-') | (text[23] ^ '-');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = hex_values[(unsigned char)text[places[i]]];
        const int low = hex_values[(unsigned char)text[places[i] + 1]];
        foreign |= (high | low) & ~15;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    if (foreign != 0) return std::nullopt;
    return bytes;
}

} // namespace urr
