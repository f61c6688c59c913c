// Whether a host's name means this machine: what may be spoken to in clear text. Names other than
// localhost are not looked up. Pure.
#pragma once
#include <string_view>

namespace urr {

// localhost, ::1, 127.a.b.c; nothing that only begins like it.
inline bool is_this_machine(std::string_view host) {
    if (host == "localhost" || host == "::1") return true;
    if (!host.starts_with("127.")) return false;
    int dots = 0, digits = 0;
    for (const char c : host) {
        if (c == '.' && digits > 0) {
            ++dots;
            digits = 0;
        } else if (c >= '0' && c <= '9' && digits < 3) {
            ++digits;
        } else {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

} // namespace urr
