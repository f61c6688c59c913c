// How an answer is written (RFC 9112): appended to the buffer in which a connection gathers its
// answers. Pure.
#pragma once
#include <ctime>
#include <string>
#include <string_view>

#include "libs/http/message.hpp"

namespace urr {

struct ResponseStyle {
    std::string_view date; // of the Date header
    bool keep_alive = true;
    bool streaming = false; // the body follows in frames: no length is said
    bool head_only = false; // the answer to a HEAD
};

void append_response(std::string& out, const Response& response, const ResponseStyle& style);

// "Wed, 25 Nov 2026 01:02:03 GMT"
std::string http_date(std::time_t time);

// "OK", "Not Found", …
std::string_view reason_phrase(int status);

} // namespace urr
