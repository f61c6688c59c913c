#include "services/gateway/device.hpp"

#include <array>
#include <cstring>

#include "libs/security/base64url.hpp"

namespace urr::gateway {

namespace {

constexpr std::size_t number_bytes = 8;
using Cookie = std::array<unsigned char, number_bytes + std::tuple_size_v<ShortCode>>;

ShortCode code_of(const SecretKey& key, std::span<const unsigned char> number) {
    return short_code(key, number);
}

} // namespace

std::optional<std::uint64_t> read_device(const SecretKey& key, std::string_view text) {
    Cookie cookie;
    if (!read_base64url(text, cookie)) return std::nullopt;
    const auto number = std::span(cookie).first(number_bytes);
    if (!same_code(code_of(key, number), std::span(cookie).subspan(number_bytes)))
        return std::nullopt;
    std::uint64_t device;
    std::memcpy(&device, number.data(), sizeof device);
    return device;
}

std::string make_device(const SecretKey& key, Random& random) {
    Cookie cookie;
    const auto number = std::span(cookie).first(number_bytes);
    random.fill(number);
    const ShortCode code = code_of(key, number);
    std::memcpy(cookie.data() + number_bytes, code.data(), code.size());
    return base64url(cookie);
}

} // namespace urr::gateway
