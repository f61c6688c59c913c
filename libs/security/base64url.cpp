#include "libs/security/base64url.hpp"

#include <array>
#include <cstring>

namespace urr {

namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<signed char, 256> values = [] {
    std::array<signed char, 256> table{};
    table.fill(-1);
    for (int i = 0; i < 64; ++i) table[std::size_t((unsigned char)alphabet[i])] = (signed char)i;
    return table;
}();

} // namespace

void append_base64url(std::string& out, std::span<const unsigned char> bytes) {
    const std::size_t before = out.size();
    out.resize(before + (bytes.size() * 4 + 2) / 3);
    char* to = out.data() + before;
    std::size_t at = 0;
    for (; at + 3 <= bytes.size(); at += 3, to += 4) {
        const std::uint32_t word =
            (std::uint32_t(bytes[at]) << 16) | (std::uint32_t(bytes[at + 1]) << 8) | bytes[at + 2];
        const char four[4] = {alphabet[word >> 18], alphabet[(word >> 12) & 63],
                              alphabet[(word >> 6) & 63], alphabet[word & 63]};
        std::memcpy(to, four, sizeof four);
    }
    const std::size_t left = bytes.size() - at; // of the last group: 0, 1 or 2
    if (left == 0) return;
    const std::uint32_t word =
        (std::uint32_t(bytes[at]) << 16) | (left == 2 ? std::uint32_t(bytes[at + 1]) << 8 : 0);
    for (std::size_t i = 0; i <= left; ++i) to[i] = alphabet[(word >> (18 - 6 * i)) & 63];
}

std::string base64url(std::span<const unsigned char> bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    append_base64url(out, bytes);
    return out;
}

std::string base64url(std::string_view bytes) {
    return base64url({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

bool read_base64url(std::string_view text, std::span<unsigned char> out) {
    if (text.size() != (out.size() * 4 + 2) / 3) return false;
    std::uint32_t word = 0;
    int bits = 0;
    std::size_t at = 0;
    for (const char c : text) {
        const int value = values[(unsigned char)c];
        if (value < 0) return false;
        word = (word << 6) | std::uint32_t(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[at++] = (unsigned char)(word >> bits);
    }
    return (word & ((1u << bits) - 1)) == 0;
}

std::optional<std::string> read_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out(text.size() * 3 / 4, '\0');
    if (!read_base64url(text, {reinterpret_cast<unsigned char*>(out.data()), out.size()}))
        return std::nullopt;
    return out;
}

} // namespace urr
