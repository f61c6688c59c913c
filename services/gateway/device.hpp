// The device cookie: tells anonymous browsers behind one address apart, for limits and for nothing
// else. A random number and its keyed code; stateless, so every gateway with the key knows it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/random.hpp"
#include "libs/security/mac.hpp"

namespace urr::gateway {

inline constexpr std::string_view device_cookie = "urr-device";

// The device's number; nothing for a cookie that is forged or of another key.
std::optional<std::uint64_t> read_device(const SecretKey& key, std::string_view cookie);
// A value for a new device's cookie.
std::string make_device(const SecretKey& key, Random& random);

} // namespace urr::gateway
