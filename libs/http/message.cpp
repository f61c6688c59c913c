#include "libs/http/message.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "libs/core/json_text.hpp"

namespace urr {

namespace {

constexpr std::string_view method_names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                             "PATCH", "DELETE", "OPTIONS", "OTHER"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

// Korean where it stands before English in Accept-Language; weights are not read.
bool prefers_korean(std::string_view accept_language) {
    const std::size_t korean = accept_language.find("ko");
    const std::size_t english = accept_language.find("en");
    return korean != std::string_view::npos &&
           (english == std::string_view::npos || korean < english);
}

} // namespace

std::string_view method_name(Method method) { return method_names[std::size_t(method)]; }

std::string Address::text() const {
    char text[INET6_ADDRSTRLEN];
    static constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(bytes.data(), mapped, sizeof mapped) != 0)
        return ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
    char* end = text; // by hand: inet_ntop formats with printf
    for (std::size_t i = 12; i < 16; ++i) {
        if (i > 12) *end++ = '.';
        end = std::to_chars(end, text + sizeof text, unsigned(bytes[i])).ptr;
    }
    return {text, end};
}

std::optional<Address> Address::parse(std::string_view text) {
    char copy[INET6_ADDRSTRLEN + 1];
    if (text.size() >= sizeof copy) return std::nullopt;
    copy[text.copy(copy, sizeof copy - 1)] = 0;
    Address address;
    if (::inet_pton(AF_INET6, copy, address.bytes.data()) == 1) return address;
    if (::inet_pton(AF_INET, copy, address.bytes.data() + 12) != 1) return std::nullopt;
    address.bytes[10] = address.bytes[11] = 0xff;
    return address;
}

bool same_letters(const char* a, const char* b, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    return true;
}

Request& Request::operator=(const Request& other) noexcept {
    method = other.method;
    target = other.target;
    path = other.path;
    query = other.query;
    body = other.body;
    date = other.date;
    peer = other.peer;
    parameters = other.parameters;
    header_count_ = other.header_count_;
    if (this != &other) std::uninitialized_copy_n(other.headers_, header_count_, headers_);
    return *this;
}

std::string_view Request::header(std::string_view name) const {
    for (const Header& header : headers())
        if (same_header(header.name, name)) return header.value;
    return {};
}

bool Request::has_header(std::string_view name) const {
    for (const Header& header : headers())
        if (same_header(header.name, name)) return true;
    return false;
}

bool Request::add_header(std::string_view name, std::string_view value) {
    if (header_count_ == headers_max) return false;
    std::construct_at(&headers_[header_count_++], name, value);
    return true;
}

void Request::remove_headers(std::span<const std::string_view> names) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < header_count_; ++i) {
        const auto is_that = [&](std::string_view name) {
            return same_header(headers_[i].name, name);
        };
        if (std::ranges::any_of(names, is_that)) continue;
        if (kept != i) headers_[kept] = headers_[i];
        ++kept;
    }
    header_count_ = kept;
}

std::string_view Request::cookie(std::string_view name) const {
    for (const Header& header : headers()) {
        if (!same_header(header.name, "Cookie")) continue;
        std::string_view rest = header.value;
        while (!rest.empty()) {
            const std::size_t end = rest.find(';');
            const std::string_view pair = trimmed(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
            const std::size_t equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == name)
                return pair.substr(equals + 1);
        }
    }
    return {};
}

Context context_of(const Request& request, Instant deadline, Random& random) {
    Context context;
    context.deadline = deadline;
    const auto trace = parse_traceparent(request.header("traceparent"));
    context.trace = trace ? trace->child(random) : Trace::make(random, false);
    return context;
}

std::optional<Duration> timeout_of(const Request& request) {
    const std::string_view text = request.header(timeout_header);
    std::int64_t ms = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || ms < 0 || ms > 1'000'000)
        return std::nullopt;
    return milliseconds(ms);
}

Response& Response::add(std::string_view name, std::string_view value) {
    constexpr std::size_t usual_bytes = 512; // of all headers of an answer: one allocation
    if (value.find('\r') != std::string_view::npos || value.find('\n') != std::string_view::npos)
        return *this;
    const std::size_t before = headers.size(), size = before + name.size() + value.size() + 4;
    if (headers.capacity() < size) headers.reserve(std::max(size, usual_bytes));
    headers.resize_and_overwrite(size, [&](char* text, std::size_t) {
        char* end = std::copy_n(name.data(), name.size(), text + before);
        *end++ = ':';
        *end++ = ' ';
        end = std::copy_n(value.data(), value.size(), end);
        *end++ = '\r';
        *end = '\n';
        return size;
    });
    return *this;
}

Response& Response::add(std::string_view name, std::int64_t value) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return add(name, std::string_view(digits, end));
}

std::string_view Response::header(std::string_view name) const {
    std::string_view rest = headers;
    while (!rest.empty()) {
        const std::size_t end = rest.find("\r\n");
        const std::string_view line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && same_header(line.substr(0, colon), name))
            return trimmed(line.substr(colon + 1));
    }
    return {};
}

Response json_response(int status, std::string body) {
    Response response;
    response.status = status;
    response.content_type = type_json;
    response.body = std::move(body);
    return response;
}

Response problem(const Error& error, const Trace& trace, std::string_view accept_language) {
    const CodeInfo& row = info(error.code());
    Response response;
    response.status = row.status;
    response.content_type = type_problem;
    std::string& body = response.body;
    body = R"({"type":"https://urr.dev/problems/)";
    body.append(row.name).append(R"(","title":)");
    append_json_text(body, prefers_korean(accept_language) ? row.korean : row.english);
    body.append(R"(,"status":)").append(std::to_string(row.status));
    if (!error.text().empty() && row.status < 500) { // what went wrong inside stays in the log
        body += R"(,"detail":)";
        append_json_text(body, error.text());
    }
    body.append(R"(,"code":")").append(row.name).append(R"(","traceId":")");
    body.append(trace.id_text()).append("\"");
    if (!error.fields().empty()) {
        body += R"(,"errors":[)";
        for (const FieldError& field : error.fields()) {
            if (body.back() != '[') body += ',';
            body += R"({"field":)";
            append_json_text(body, field.field);
            body += R"(,"message":)";
            append_json_text(body, field.message);
            body += '}';
        }
        body += ']';
    }
    body += '}';
    response.add("Cache-Control", "no-store");
    const int wait = error.retry_after_s();
    if (wait > 0 || row.status == 429 || row.status == 503)
        response.add("Retry-After", std::to_string(wait > 0 ? wait : 1));
    return response;
}

} // namespace urr
