#include "libs/http/parser.hpp"

#include <algorithm>

#include "libs/http/bytes.hpp"

namespace urr {

namespace {

constexpr std::size_t target_bytes_max = 4096;
constexpr std::size_t chunk_line_bytes_max = 256;

// Token characters of RFC 9110 §5.6.2.
constexpr std::array<bool, 256> token = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        table[std::size_t((unsigned char)c)] = true;
    return table;
}();

bool is_token(std::string_view text) {
    for (const char c : text)
        if (!token[(unsigned char)c]) return false;
    return !text.empty();
}

bool is_value(std::string_view text) {
    return !any_byte(text,
                     [](unsigned char c) { return ((c < 0x20) & (c != '\t')) | (c == 0x7f); });
}

bool is_target(std::string_view text) {
    return !any_byte(text, [](unsigned char c) { return (c <= ' ') | (c >= 0x7f); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Takes a line off the front; the text must hold one, ended by CR LF.
bool take_line(std::string_view& rest, std::string_view& line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return false;
    line = rest.substr(0, end - 1);
    rest.remove_prefix(end + 1);
    return true;
}

std::unexpected<Error> bad(const char* reason) { return fail(Code::BAD_REQUEST, reason); }

// By length first: each comparison is then one of machine words.
Method method_of(std::string_view text) {
    switch (text.size()) {
    case 3:
        return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
    case 4:
        return text == "POST" ? Method::post : text == "HEAD" ? Method::head : Method::other;
    case 5:
        return text == "PATCH" ? Method::patch : Method::other;
    case 6:
        return text == "DELETE" ? Method::del : Method::other;
    case 7:
        return text == "OPTIONS" ? Method::options : Method::other;
    default:
        return Method::other;
    }
}

bool has_item(std::string_view list, std::string_view item) {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        if (same_header(trimmed(list.substr(0, comma)), item)) return true;
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return false;
}

// What a header says about the message itself. False: it must not be passed on.
Result<bool> note_header(std::string_view name, std::string_view value, MessageHead& head) {
    switch (name.size()) {
    case 6:
        if (!same_header(name, "Expect")) return true;
        if (!same_header(value, "100-continue")) return bad("unknown expectation");
        head.expects_continue = true;
        return false;
    case 10:
        if (!same_header(name, "Connection")) return !same_header(name, "Keep-Alive");
        if (has_item(value, "close")) head.keep_alive = false;
        head.connection_lists = head.connection_lists ||
                                (!same_header(value, "close") && !same_header(value, "keep-alive"));
        return false;
    case 14:
        if (!same_header(name, "Content-Length")) return true;
        if (head.has_length) return bad("two Content-Length");
        if (value.empty() || value.size() > 15) return bad("bad Content-Length");
        for (const char c : value) {
            if (c < '0' || c > '9') return bad("bad Content-Length");
            head.content_length = head.content_length * 10 + std::uint64_t(c - '0');
        }
        head.has_length = true;
        return false;
    case 17:
        if (!same_header(name, "Transfer-Encoding")) return true;
        if (head.chunked || !same_header(value, "chunked")) return bad("bad Transfer-Encoding");
        head.chunked = true;
        return false;
    default:
        return true;
    }
}

bool hop_by_hop(std::string_view name) {
    return same_header(name, "TE") || same_header(name, "Trailer") ||
           same_header(name, "Upgrade") || same_header(name, "Proxy-Authenticate") ||
           same_header(name, "Proxy-Authorization") || same_header(name, "Proxy-Connection") ||
           same_header(name, "Keep-Alive");
}

// Takes out what a Connection header of `lines` names: it was meant for us alone (RFC 9110 §7.6.1).
void remove_listed(std::string_view lines, Request& request) {
    std::string_view line;
    while (take_line(lines, line) && !line.empty()) {
        const std::size_t colon = line.find(':');
        if (!same_header(line.substr(0, colon), "Connection")) continue;
        for (std::string_view list = line.substr(colon + 1); !list.empty();) {
            const std::size_t comma = list.find(',');
            request.remove_headers(trimmed(list.substr(0, comma)));
            list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        }
    }
}

Result<> parse_request_line(std::string_view line, Request& request, MessageHead& head) {
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return bad("bad request line");
    const std::string_view version = line.substr(second + 1);
    if (version == "HTTP/1.0")
        head.keep_alive = false;
    else if (version != "HTTP/1.1")
        return bad("bad version");
    if (!is_token(line.substr(0, first))) return bad("bad method");
    request.method = method_of(line.substr(0, first));
    request.target = line.substr(first + 1, second - first - 1);
    if (request.target.size() > target_bytes_max) return fail(Code::URI_TOO_LONG);
    if (request.target.empty() || request.target[0] != '/') return bad("bad target");
    if (!is_target(request.target)) return bad("bad character in the target");
    const std::size_t mark = request.target.find('?');
    request.query =
        mark == std::string_view::npos ? std::string_view() : request.target.substr(mark + 1);
    return {};
}

struct Field {
    std::string_view name, value;
};

Result<Field> parse_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
        return bad("bad header");
    const Field field{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_value(field.value)) return bad("bad header value");
    return field;
}

} // namespace

std::size_t find_head_end(std::string_view buffer, std::size_t from) {
    const std::size_t at = buffer.find("\r\n\r\n", from > 3 ? from - 3 : 0);
    return at == std::string_view::npos ? at : at + 4;
}

Result<MessageHead> parse_request_head(std::string_view text, Request& request) {
    MessageHead head;
    std::string_view line;
    if (!take_line(text, line)) return bad("bad line ending");
    TRY_PLAIN(parse_request_line(line, request, head));
    const bool old_version = !head.keep_alive;
    const std::string_view lines = text;
    int hosts = 0;
    for (;;) {
        if (!take_line(text, line)) return bad("bad line ending");
        if (line.empty()) break;
        const Field field = TRY_PLAIN(parse_field(line));
        if (same_header(field.name, "Host")) ++hosts;
        if (!TRY_PLAIN(note_header(field.name, field.value, head)) || hop_by_hop(field.name))
            continue;
        if (!request.add_header(field.name, field.value)) return fail(Code::HEADERS_TOO_LARGE);
    }
    if (!text.empty()) return bad("bad line ending");
    if (head.connection_lists) [[unlikely]]
        remove_listed(lines, request);
    if (hosts > 1 || (hosts == 0 && !old_version)) return bad("one Host header is needed");
    if (head.chunked && (head.has_length || old_version)) return bad("two kinds of length");
    return head;
}

Result<ResponseHead> parse_response_head(std::string_view text, std::string& headers) {
    ResponseHead head;
    std::string_view line;
    if (!take_line(text, line) || line.size() < 12 || !line.starts_with("HTTP/1."))
        return fail(Code::BAD_GATEWAY, "bad status line");
    head.keep_alive = line[7] == '1';
    for (const char c : line.substr(9, 3)) {
        if (c < '0' || c > '9') return fail(Code::BAD_GATEWAY, "bad status");
        head.status = head.status * 10 + (c - '0');
    }
    while (take_line(text, line) && !line.empty()) {
        const auto field = parse_field(line);
        if (!field) return fail(Code::BAD_GATEWAY, "bad header");
        const auto passes = note_header(field->name, field->value, head);
        if (!passes) return fail(Code::BAD_GATEWAY, "bad header");
        if (same_header(field->name, "Content-Type")) {
            head.content_type = field->value;
            continue;
        }
        if (!*passes || hop_by_hop(field->name) || same_header(field->name, "Date")) continue;
        headers.append(field->name).append(": ").append(field->value).append("\r\n");
    }
    if (head.chunked && head.has_length) return fail(Code::BAD_GATEWAY, "two kinds of length");
    return head;
}

Result<bool> ChunkDecoder::read_size(std::string_view line) {
    const std::string_view digits = line.substr(0, line.find(';'));
    if (digits.empty() || digits.size() > 8) return bad("bad chunk size");
    left_ = 0;
    for (const char c : digits) {
        const char l = c >= 'A' && c <= 'F' ? char(c + 32) : c;
        if (l >= '0' && l <= '9')
            left_ = left_ * 16 + std::uint64_t(l - '0');
        else if (l >= 'a' && l <= 'f')
            left_ = left_ * 16 + std::uint64_t(l - 'a' + 10);
        else
            return bad("bad chunk size");
    }
    total_ += left_;
    if (total_ > bytes_max_) return fail(Code::BODY_TOO_LARGE);
    return left_ > 0;
}

Result<std::size_t> ChunkDecoder::feed(std::string_view input, std::string& body) {
    const std::size_t given = input.size();
    while (!done()) {
        if (state_ == State::data) {
            const std::size_t n = std::min<std::size_t>(left_, input.size());
            body.append(input.substr(0, n));
            input.remove_prefix(n);
            left_ -= n;
            if (left_) break;
            state_ = State::data_end;
            continue;
        }
        // The same bound whether the line's end has come yet or not.
        const std::size_t line_end = input.find('\n');
        if (std::min(line_end, input.size()) > chunk_line_bytes_max)
            return bad("chunk line too long");
        if (line_end == std::string_view::npos) break;
        std::string_view line;
        if (!take_line(input, line)) return bad("bad line ending in a chunk");
        if (state_ == State::size)
            state_ = TRY_PLAIN(read_size(line)) ? State::data : State::trailer;
        else if (state_ == State::data_end && !line.empty())
            return bad("chunk longer than said");
        else if (state_ == State::data_end)
            state_ = State::size;
        else if (line.empty())
            state_ = State::done;
        else
            return bad("trailers are not taken");
    }
    return given - input.size();
}

} // namespace urr
