#include "services/auth/http/cookies.hpp"

namespace urr::auth {

namespace {

void set(Response& response, std::string_view name, std::string_view value, Duration life,
         std::string_view rest, bool secure) {
    std::string cookie(name);
    cookie.append("=").append(value).append("; Max-Age=");
    cookie.append(std::to_string(life.us / 1'000'000)).append("; HttpOnly");
    if (secure) cookie += "; Secure";
    response.add("Set-Cookie", cookie.append(rest));
}

constexpr std::string_view access_rest = "; SameSite=Lax; Path=/";
constexpr std::string_view refresh_rest = "; SameSite=Strict; Path=/api/v1/auth";

} // namespace

void set_cookies(Response& response, const SignedIn& signed_in, const CookieRules& rules) {
    set(response, access_cookie, signed_in.access_token, rules.access_life, access_rest,
        rules.secure);
    set(response, refresh_cookie, signed_in.refresh_token, rules.refresh_life, refresh_rest,
        rules.secure);
}

void clear_cookies(Response& response, const CookieRules& rules) {
    set(response, access_cookie, "", Duration{}, access_rest, rules.secure);
    set(response, refresh_cookie, "", Duration{}, refresh_rest, rules.secure);
}

} // namespace urr::auth
