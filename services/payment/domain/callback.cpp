#include "services/payment/domain/callback.hpp"

#include <charconv>

namespace urr::payment {

namespace {

std::string code_of(const HmacKey& key, std::string_view time, std::string_view body) {
    std::string text(time);
    text.append(".").append(body);
    return hex(key.code(text));
}

std::unexpected<Error> refuse(const char* why) {
    return fail(Code::WEBHOOK_SIGNATURE_INVALID, why);
}

} // namespace

std::string sign_callback(const HmacKey& key, std::string_view body, Instant now) {
    const std::string time = std::to_string(now.us / 1'000'000);
    return "t=" + time + ",v1=" + code_of(key, time, body);
}

Result<> check_signature(const HmacKey& key, std::string_view header, std::string_view body,
                         Instant now) {
    const std::size_t comma = header.find(",v1=");
    if (!header.starts_with("t=") || comma == std::string_view::npos) return refuse("malformed");
    const std::string_view time = header.substr(2, comma - 2), code = header.substr(comma + 4);
    std::int64_t at = 0;
    const auto read = std::from_chars(time.data(), time.data() + time.size(), at);
    if (read.ec != std::errc() || read.ptr != time.data() + time.size() || at < 0 ||
        at > 100'000'000'000)
        return refuse("malformed");
    const std::string right = code_of(key, time, body);
    const auto bytes = [](std::string_view text) {
        return std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size());
    };
    if (!same_code(bytes(right), bytes(code))) return refuse("forged");
    const Instant made{at * 1'000'000};
    if (made < now - callback_life || made > now + callback_life) return refuse("stale");
    return {};
}

} // namespace urr::payment
