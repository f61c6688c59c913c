#include "libs/core/id.hpp"

namespace urr {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool dash_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

} // namespace

IdBytes make_id_bytes(Instant now, Random& random) {
    IdBytes bytes;
    random.fill(bytes);
    const std::uint64_t ms = std::uint64_t(now.us / 1'000);
    for (int i = 0; i < 6; ++i) bytes[std::size_t(i)] = (unsigned char)(ms >> (8 * (5 - i)));
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    return bytes;
}

std::string id_text(const IdBytes& bytes) {
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (dash_before(i)) text += '-';
        text += hex_digits[bytes[i] >> 4];
        text += hex_digits[bytes[i] & 15];
    }
    return text;
}

std::optional<IdBytes> parse_id(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    IdBytes bytes;
    std::size_t at = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (dash_before(i) && text[at++] != '-') return std::nullopt;
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[i] = (unsigned char)(high * 16 + low);
        at += 2;
    }
    return bytes;
}

} // namespace urr
