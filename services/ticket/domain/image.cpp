#include "services/ticket/domain/image.hpp"

#include <cstdint>

namespace urr::ticket {

namespace {

using namespace std::string_view_literals;

unsigned byte_at(std::string_view bytes, std::size_t at) { return (unsigned char)bytes[at]; }
unsigned big16(std::string_view b, std::size_t at) {
    return byte_at(b, at) << 8 | byte_at(b, at + 1);
}
unsigned little16(std::string_view b, std::size_t at) {
    return byte_at(b, at + 1) << 8 | byte_at(b, at);
}
std::uint32_t big32(std::string_view b, std::size_t at) {
    return std::uint32_t(big16(b, at)) << 16 | big16(b, at + 2);
}
std::uint32_t little32(std::string_view b, std::size_t at) {
    return std::uint32_t(little16(b, at + 2)) << 16 | little16(b, at);
}

// Segments, each with its length, up to the frame's, which has the size.
bool is_jpeg(std::string_view bytes) {
    if (!bytes.starts_with("\xff\xd8\xff"sv)) return false;
    for (std::size_t at = 2; at + 9 <= bytes.size();) {
        if (byte_at(bytes, at) != 0xff) return false;
        const unsigned marker = byte_at(bytes, at + 1);
        if (marker == 0xff) { // fill
            ++at;
            continue;
        }
        const bool is_table = marker == 0xc4 || marker == 0xc8 || marker == 0xcc;
        if (marker >= 0xc0 && marker <= 0xcf && !is_table)
            return big16(bytes, at + 7) > 0 && big16(bytes, at + 2) >= 8;
        const unsigned length = big16(bytes, at + 2);
        if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda) || length < 2) return false;
        at += 2 + length;
    }
    return false;
}

bool is_png(std::string_view bytes) {
    return bytes.size() >= 33 && bytes.starts_with("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv) &&
           big32(bytes, 16) > 0 && big32(bytes, 20) > 0;
}

// RIFF's length is that of the file; a simple, a lossless or an extended picture comes first.
bool is_webp(std::string_view bytes) {
    if (bytes.size() < 30 || !bytes.starts_with("RIFF"sv) || bytes.substr(8, 4) != "WEBP"sv)
        return false;
    if (std::uint64_t(little32(bytes, 4)) + 8 > bytes.size()) return false;
    const std::string_view chunk = bytes.substr(12, 4);
    if (chunk == "VP8 "sv) return bytes.substr(23, 3) == "\x9d\x01\x2a"sv;
    if (chunk == "VP8L"sv) return byte_at(bytes, 20) == 0x2f;
    return chunk == "VP8X"sv && little32(bytes, 16) == 10;
}

// The screen, its colours where it has some, then a picture or an extension.
bool is_gif(std::string_view bytes) {
    if (bytes.size() < 14 || !(bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)))
        return false;
    const unsigned flags = byte_at(bytes, 10);
    const std::size_t next = 13 + (flags & 0x80 ? std::size_t(3) << ((flags & 7) + 1) : 0);
    return little16(bytes, 6) > 0 && little16(bytes, 8) > 0 && next < bytes.size() &&
           (bytes[next] == '\x21' || bytes[next] == '\x2c');
}

} // namespace

std::optional<ImageType> image_type_of(std::string_view bytes) {
    if (is_jpeg(bytes)) return jpeg;
    if (is_png(bytes)) return png;
    if (is_webp(bytes)) return webp;
    if (is_gif(bytes)) return gif;
    return std::nullopt;
}

} // namespace urr::ticket
