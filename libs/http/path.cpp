#include "libs/http/path.hpp"

#include "libs/http/bytes.hpp"

namespace urr {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool control(char c) { return (unsigned char)c < 0x20 || c == 0x7f; }

Result<> check_segments(std::string_view path) {
    if (path.empty() || path[0] != '/') return fail(Code::AMBIGUOUS_PATH, "no leading slash");
    std::size_t at = 1;
    while (at <= path.size()) {
        std::size_t end = path.find('/', at);
        if (end == std::string_view::npos) end = path.size();
        const std::string_view segment = path.substr(at, end - at);
        if (segment == "." || segment == "..") return fail(Code::AMBIGUOUS_PATH, "dot segment");
        if (segment.empty() && path.size() > 1) return fail(Code::AMBIGUOUS_PATH, "empty segment");
        at = end + 1;
    }
    return {};
}

// Letters, digits and marks only: neither escapes nor what is refused below. Every request passes
// here.
bool is_plain(std::string_view path) {
    return !any_byte(
        path, [](unsigned char c) { return (c < 0x20) | (c >= 0x7f) | (c == '%') | (c == '\\'); });
}

// No segment is empty and none begins with a dot.
bool has_plain_segments(std::string_view path) {
    return path.size() > 1 && path[0] == '/' && path.back() != '/' &&
           !any_two_bytes<1>(path, [](unsigned char c, unsigned char next) {
               return (c == '/') & ((next == '/') | (next == '.'));
           });
}

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool well_formed(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = (unsigned char)text[i];
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || i + length > text.size()) return false;
        for (std::size_t k = 1; k < length; ++k)
            if (((unsigned char)text[i + k] & 0xc0) != 0x80) return false;
        const auto second = length > 1 ? (unsigned char)text[i + 1] : (unsigned char)0;
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
            (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
            return false;
        i += length;
    }
    return true;
}

} // namespace

Result<std::string_view> decode_path(std::string_view target, std::string& storage) {
    std::string_view path = target.substr(0, target.find('?'));
    if (is_plain(path)) {
        if (!has_plain_segments(path)) TRY_PLAIN(check_segments(path));
        return path;
    }
    if (path.find('%') != std::string_view::npos) {
        storage.clear();
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (path[i] != '%') {
                storage += path[i];
                continue;
            }
            if (i + 2 >= path.size()) return fail(Code::AMBIGUOUS_PATH, "broken escape");
            const int high = hex_value(path[i + 1]);
            const int low = hex_value(path[i + 2]);
            if (high < 0 || low < 0) return fail(Code::AMBIGUOUS_PATH, "broken escape");
            const char c = char(high * 16 + low);
            if (c == '/' || c == '%') return fail(Code::AMBIGUOUS_PATH, "encoded delimiter");
            storage += c;
            i += 2;
        }
        path = storage;
    }
    for (const char c : path)
        if (control(c) || c == '\\') return fail(Code::AMBIGUOUS_PATH, "control character");
    if (!well_formed(path)) return fail(Code::AMBIGUOUS_PATH, "not UTF-8");
    TRY_PLAIN(check_segments(path));
    return path;
}

Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name) {
    std::optional<std::string> found;
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) != name) continue;
        if (found) return fail(Code::BAD_REQUEST, "a query parameter is given twice");
        found.emplace();
        if (equals == std::string_view::npos) continue;
        const std::string_view raw = pair.substr(equals + 1);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            char c = raw[i] == '+' ? ' ' : raw[i];
            if (c == '%') {
                const int high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
                const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
                if (high < 0 || low < 0)
                    return fail(Code::BAD_REQUEST, "broken escape in the query");
                c = char(high * 16 + low);
                i += 2;
            }
            if (control(c)) return fail(Code::BAD_REQUEST, "control character in the query");
            *found += c;
        }
    }
    if (found && !well_formed(*found)) return fail(Code::BAD_REQUEST, "the query is not UTF-8");
    return found;
}

} // namespace urr
