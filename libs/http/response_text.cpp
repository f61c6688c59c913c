#include "libs/http/response_text.hpp"

#include <charconv>

namespace urr {

namespace {

void append_number(std::string& out, std::size_t number) {
    char digits[20];
    out.append(digits, std::size_t(std::to_chars(digits, digits + 20, number).ptr - digits));
}

} // namespace

void append_response(std::string& out, const Response& response, const ResponseStyle& style) {
    const bool bodiless = response.status == 304 || response.status == 204;
    out += "HTTP/1.1 ";
    append_number(out, std::size_t(response.status));
    out += ' ';
    out += reason_phrase(response.status);
    out.append("\r\nDate: ").append(style.date);
    if (!response.content_type.empty())
        out.append("\r\nContent-Type: ").append(response.content_type);
    if (!style.streaming && !bodiless)
        append_number(out.append("\r\nContent-Length: "), response.body.size());
    if (!style.keep_alive) out += "\r\nConnection: close";
    out += "\r\n";
    out += response.headers;
    out += "\r\n";
    if (!style.head_only && response.status != 304) out += response.body;
}

std::string http_date(std::time_t time) {
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[40];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

std::string_view reason_phrase(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Status";
    }
}

} // namespace urr
