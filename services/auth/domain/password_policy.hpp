// Which passwords are good enough: long rather than odd (NIST SP 800-63B §5.1.1), and none of those
// that are tried first. Pure.
#pragma once
#include <string_view>

namespace urr::auth {

inline constexpr std::size_t password_characters_min = 8;
inline constexpr std::size_t password_bytes_max = 256;

// What is wrong with it, in words for the person; empty: nothing. `email` is the account's: its
// name makes no password.
std::string_view password_fault(std::string_view password, std::string_view email);

} // namespace urr::auth
