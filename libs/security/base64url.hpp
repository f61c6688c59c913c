// Base64url without padding (RFC 4648 §5), strict: one text for one sequence of bytes.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace urr {

void append_base64url(std::string& out, std::span<const unsigned char> bytes);
std::string base64url(std::span<const unsigned char> bytes);
std::string base64url(std::string_view bytes);
// Writes exactly `out.size()` bytes; false when the text is of another length, has a foreign
// character or bits left over that are not zero.
bool read_base64url(std::string_view text, std::span<unsigned char> out);
std::optional<std::string> read_base64url(std::string_view text);

} // namespace urr
