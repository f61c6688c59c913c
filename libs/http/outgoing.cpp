#include "libs/http/outgoing.hpp"

#include <algorithm>
#include <charconv>

namespace urr {

bool is_safe(const Request& request) {
    return request.method == Method::get || request.method == Method::head ||
           request.method == Method::options;
}

bool repeatable(const Request& request) {
    return is_safe(request) || request.method == Method::put || request.method == Method::del ||
           request.has_header("Idempotency-Key");
}

void render_request(const Request& request, const std::string& host, std::optional<Duration> left,
                    std::string& out) {
    const bool may_have_body = request.method == Method::post || request.method == Method::put ||
                               request.method == Method::patch;
    constexpr std::size_t fixed_bytes = 160; // methods, names and numbers that are written below
    std::size_t bytes = fixed_bytes + request.target.size() + host.size() + request.body.size();
    for (const Header& header : request.headers())
        bytes += header.name.size() + header.value.size() + 4;
    out.clear();
    out.resize_and_overwrite(bytes, [&](char* const begin, std::size_t) {
        char* end = begin;
        const auto put = [&](std::string_view text) {
            end = std::copy_n(text.data(), text.size(), end);
        };
        const auto put_number = [&](std::int64_t number) {
            end = std::to_chars(end, end + 20, number).ptr;
        };
        put(method_name(request.method));
        put(" ");
        put(request.target);
        put(" HTTP/1.1\r\nHost: ");
        put(host);
        put("\r\n");
        for (const Header& header : request.headers()) {
            if (same_header(header.name, "Host") || same_header(header.name, timeout_header))
                continue;
            put(header.name);
            put(": ");
            put(header.value);
            put("\r\n");
        }
        if (!request.body.empty() || may_have_body) {
            put("Content-Length: ");
            put_number(std::int64_t(request.body.size()));
            put("\r\n");
        }
        if (left) {
            put(timeout_header);
            put(": ");
            put_number(left->us / 1'000);
            put("\r\n");
        }
        put("\r\n");
        put(request.body);
        return std::size_t(end - begin);
    });
}

} // namespace urr
