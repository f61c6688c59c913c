// Looks at every byte of a text without leaving early, so that the compiler takes sixteen at once:
// what every request passes through. Pure.
//
//     bool odd = any_byte(path, [](unsigned char c) { return c < 0x20; });
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace urr {

// Is `odd(text[i], text[i + distance])` true for any i? `odd` has no branch.
template <std::size_t distance, class Odd>
bool any_two_bytes(std::string_view text, Odd odd) {
    constexpr std::size_t block = 16;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (text.size() <= distance) return false;
    const std::size_t count = text.size() - distance;
    unsigned char seen[block] = {};
    if (count < block) {
        for (std::size_t i = 0; i < count; ++i)
            seen[0] |= (unsigned char)odd(bytes[i], bytes[i + distance]);
        return seen[0] != 0;
    }
    const unsigned char* const last = bytes + count - block; // may overlap the one before
    for (const unsigned char* at = bytes; at < last; at += block)
        for (std::size_t i = 0; i < block; ++i)
            seen[i] |= (unsigned char)odd(at[i], at[i + distance]);
    for (std::size_t i = 0; i < block; ++i)
        seen[i] |= (unsigned char)odd(last[i], last[i + distance]);
    std::uint64_t halves[2];
    static_assert(sizeof halves == sizeof seen);
    std::memcpy(halves, seen, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

template <class Odd>
bool any_byte(std::string_view text, Odd odd) {
    return any_two_bytes<0>(text, [odd](unsigned char c, unsigned char) { return odd(c); });
}

} // namespace urr
