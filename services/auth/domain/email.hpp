// E-mail addresses as accounts go by them: one spelling per mailbox, and nothing that could break a
// header line or a token. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace urr::auth {

inline constexpr std::size_t email_bytes_max = 254; // RFC 5321 §4.5.3.1.3

// The address in lower case; empty when it is none. ASCII alone, a dot-atom before the @ and a
// domain name with a dot behind it (RFC 5322 §3.4.1 without quoted parts and comments).
std::optional<std::string> normal_email(std::string_view text);

} // namespace urr::auth
