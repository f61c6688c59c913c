// Settings that several components read by name; every other row stands in the one component that
// reads it.
#pragma once
#include "libs/core/settings.hpp"

namespace urr {

inline constexpr SettingRow shared_settings[] = {
    {"URR_TRUSTED_PROXIES", Kind::text, "",
     "networks whose X-Forwarded-For is believed: 127.0.0.1/32, 10.0.0.0/16"},
    {"URR_SECURE_COOKIES", Kind::yes_no, "yes", "cookies for HTTPS only"},
};

} // namespace urr
