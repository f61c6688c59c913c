// Entity tags (RFC 9110 §8.8.3, §13.1): does a client already have what it asks for?
//
//     if (tag_matches(request.header("If-None-Match"), tag)) response.status = 304;
#pragma once
#include <string_view>

namespace urr {

// `header` is a list of tags or "*"; `tag` is ours, with its quotes. Weak comparison.
inline bool tag_matches(std::string_view header, std::string_view tag) {
    while (!header.empty()) {
        const std::size_t comma = header.find(',');
        std::string_view one = header.substr(0, comma);
        header = comma == std::string_view::npos ? std::string_view() : header.substr(comma + 1);
        while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
        while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag || one == "*") return true;
    }
    return false;
}

} // namespace urr
