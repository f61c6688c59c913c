#include "libs/aws/sigv4.hpp"

#include <algorithm>
#include <ctime>

#include "libs/security/mac.hpp"

namespace urr::aws {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    return out;
}

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Without leading and trailing blanks, and with one where several stood.
std::string collapsed(std::string_view value) {
    std::string out;
    for (const char c : value) {
        const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

// RFC 3986 §5.2.4, and without empty segments.
std::string normalized(std::string_view path) {
    std::vector<std::string_view> kept;
    bool ends_open = true; // with a slash
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view segment = path.substr(at, end - at);
        ends_open = end < path.size() || segment.empty() || segment == "." || segment == "..";
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
        at = end + 1;
    }
    std::string out = "/";
    for (const std::string_view segment : kept) out.append(segment).append("/");
    if (!ends_open && out.size() > 1) out.pop_back();
    return out;
}

// Sorted by name; values of one name joined in the order in which they came.
std::vector<Pair> canonical_headers(const std::vector<Pair>& headers) {
    std::vector<Pair> out;
    for (const Pair& header : headers) {
        const std::string name = lower(header.name);
        const auto same = std::ranges::find(out, name, &Pair::name);
        if (same == out.end())
            out.push_back({name, collapsed(header.value)});
        else
            same->value.append(",").append(collapsed(header.value));
    }
    std::ranges::sort(out, {}, &Pair::name);
    return out;
}

std::string names_of(const std::vector<Pair>& sorted) {
    std::string out;
    for (const Pair& header : sorted) {
        if (!out.empty()) out += ';';
        out += header.name;
    }
    return out;
}

std::string canonical_query(const std::vector<Pair>& query) {
    std::vector<Pair> encoded;
    for (const Pair& pair : query)
        encoded.push_back({percent_encoded(pair.name), percent_encoded(pair.value)});
    std::ranges::sort(encoded, [](const Pair& a, const Pair& b) {
        return a.name != b.name ? a.name < b.name : a.value < b.value;
    });
    std::string out;
    for (const Pair& pair : encoded) {
        if (!out.empty()) out += '&';
        out.append(pair.name).append("=").append(pair.value);
    }
    return out;
}

std::string scope_text(const Scope& scope, std::string_view date) {
    return std::string(date.substr(0, 8)) + "/" + scope.region + "/" + scope.service +
           "/aws4_request";
}

std::string signature(const SignedRequest& request, const Credentials& credentials,
                      const Scope& scope, std::string_view date) {
    const Digest day = HmacKey("AWS4" + credentials.secret_key).code(date.substr(0, 8));
    const Digest region = HmacKey(view(day)).code(scope.region);
    const Digest service = HmacKey(view(region)).code(scope.service);
    const Digest key = HmacKey(view(service)).code("aws4_request");
    std::string text(algorithm);
    text.append("\n").append(date).append("\n").append(scope_text(scope, date)).append("\n");
    text += hex(sha256(canonical_request(request)));
    return hex(HmacKey(view(key)).code(text));
}

} // namespace

std::string payload_digest(std::string_view body) { return hex(sha256(body)); }

std::string amz_date(Instant now) {
    const std::time_t second = std::time_t(now.us / 1'000'000);
    std::tm utc{};
    gmtime_r(&second, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc)};
}

std::string percent_encoded(std::string_view text, bool keep_slash) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c) || (c == '/' && keep_slash)) {
            out += c;
        } else {
            out += '%';
            out += "0123456789ABCDEF"[(unsigned char)c >> 4];
            out += "0123456789ABCDEF"[(unsigned char)c & 15];
        }
    }
    return out;
}

std::string query_text(const std::vector<Pair>& query) {
    std::string out;
    for (const Pair& pair : query) {
        if (!out.empty()) out += '&';
        out.append(percent_encoded(pair.name)).append("=").append(percent_encoded(pair.value));
    }
    return out;
}

std::string canonical_request(const SignedRequest& request) {
    const std::vector<Pair> headers = canonical_headers(request.headers);
    std::string out = request.method + "\n";
    out += request.path_rule == PathRule::verbatim
               ? request.path
               : percent_encoded(normalized(request.path), true);
    out.append("\n").append(canonical_query(request.query)).append("\n");
    for (const Pair& header : headers)
        out.append(header.name).append(":").append(header.value).append("\n");
    out.append("\n").append(names_of(headers)).append("\n").append(request.payload_digest);
    return out;
}

void sign(SignedRequest& request, const Credentials& credentials, const Scope& scope, Instant now) {
    const std::string date = amz_date(now);
    std::erase_if(request.headers,
                  [](const Pair& header) { return lower(header.name) == "x-amz-date"; });
    request.headers.push_back({"X-Amz-Date", date});
    if (!credentials.session_token.empty())
        request.headers.push_back({"X-Amz-Security-Token", credentials.session_token});
    std::string value(algorithm);
    value.append(" Credential=").append(credentials.access_key).append("/");
    value.append(scope_text(scope, date)).append(", SignedHeaders=");
    value.append(names_of(canonical_headers(request.headers))).append(", Signature=");
    value.append(signature(request, credentials, scope, date));
    request.headers.push_back({"Authorization", std::move(value)});
}

void presign(SignedRequest& request, const Credentials& credentials, const Scope& scope,
             Instant now, Duration lifetime) {
    const std::string date = amz_date(now);
    auto& query = request.query;
    query.push_back({"X-Amz-Algorithm", std::string(algorithm)});
    query.push_back({"X-Amz-Credential", credentials.access_key + "/" + scope_text(scope, date)});
    query.push_back({"X-Amz-Date", date});
    query.push_back({"X-Amz-Expires", std::to_string(lifetime.us / 1'000'000)});
    query.push_back({"X-Amz-SignedHeaders", names_of(canonical_headers(request.headers))});
    if (!credentials.session_token.empty())
        query.push_back({"X-Amz-Security-Token", credentials.session_token});
    std::string code = signature(request, credentials, scope, date);
    query.push_back({"X-Amz-Signature", std::move(code)});
}

} // namespace urr::aws
