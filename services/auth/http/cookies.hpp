// The two cookies of a sign-in. Scripts see neither; the refresh token goes to /api/v1/auth alone
// and never from another site.
#pragma once
#include "libs/http/message.hpp"
#include "services/auth/sign_in.hpp"

namespace urr::auth {

inline constexpr std::string_view access_cookie = "access_token";
inline constexpr std::string_view refresh_cookie = "refresh_token";

struct CookieRules {
    bool secure = true;
    Duration access_life, refresh_life; // what the browser keeps them for
};

void set_cookies(Response& response, const SignedIn& signed_in, const CookieRules& rules);
void clear_cookies(Response& response, const CookieRules& rules);

} // namespace urr::auth
