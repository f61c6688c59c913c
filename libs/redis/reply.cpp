#include "libs/redis/reply.hpp"

#include <charconv>
#include <cmath>

namespace urr {

namespace {

std::unexpected<Error> broken(const char* what) {
    return fail(Code::BAD_GATEWAY, std::string("not RESP: ") + what);
}

std::optional<std::int64_t> integer_of(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> number_of(std::string_view text) {
    if (text == "inf") return HUGE_VAL;
    if (text == "-inf") return -HUGE_VAL;
    if (text == "nan" || text == "-nan") return NAN;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace

Result<std::optional<Reply>> ReplyParser::next(std::string_view bytes, std::size_t& used) {
    used = 0;
    while (!done_)
        if (!TRY_PLAIN(step(bytes, used))) return std::optional<Reply>();
    items_ = total_bytes_ = 0;
    return std::exchange(done_, std::nullopt);
}

// One token: a line, or the text that its line has announced. False: it is not all there.
Result<bool> ReplyParser::step(std::string_view bytes, std::size_t& used) {
    bytes.remove_prefix(used);
    if (text_missing_) return take_text(bytes, used);
    const std::size_t end = bytes.find('\r', std::max<std::size_t>(scanned_, 1));
    const bool whole = end != std::string_view::npos && end + 1 < bytes.size();
    if (!whole) {
        scanned_ = std::min(end, bytes.size());
        if (scanned_ > bounds_.line_bytes_max) return broken("a line without an end");
        return false;
    }
    scanned_ = 0;
    if (bytes[end + 1] != '\n') return broken("a line ends otherwise");
    if (end > bounds_.line_bytes_max) return broken("a line is too long");
    used += end + 2;
    TRY_PLAIN(take_line(bytes[0], bytes.substr(1, end - 1)));
    return true;
}

Result<bool> ReplyParser::take_text(std::string_view bytes, std::size_t& used) {
    const std::size_t length = *text_missing_;
    if (bytes.size() < length + 2) return false;
    if (bytes.substr(length, 2) != "\r\n") return broken("a text is longer than announced");
    text_missing_.reset();
    used += length + 2;
    Reply reply;
    reply.kind = text_kind_ == '!' ? Reply::Kind::error : Reply::Kind::text;
    std::string_view text = bytes.substr(0, length);
    if (text_kind_ == '=') { // "txt:" says how it is to be shown
        if (length < 4 || text[3] != ':') return broken("a verbatim text without its format");
        text.remove_prefix(4);
    }
    reply.text = text;
    finish(std::move(reply));
    return true;
}

Result<> ReplyParser::take_line(char kind, std::string_view line) {
    if (++items_ > bounds_.items_max) return broken("too many items");
    Reply reply;
    switch (kind) {
    case '+':
    case '-':
    case '(': // a number of any size stays a text
        reply.kind = kind == '-' ? Reply::Kind::error : Reply::Kind::text;
        total_bytes_ += line.size();
        if (total_bytes_ > bounds_.total_bytes_max) return broken("too large");
        reply.text = line;
        break;
    case ':': {
        const auto value = integer_of(line);
        if (!value) return broken("an integer");
        reply.kind = Reply::Kind::integer;
        reply.integer = *value;
        break;
    }
    case ',': {
        const auto value = number_of(line);
        if (!value) return broken("a number");
        reply.kind = Reply::Kind::number;
        reply.number = *value;
        break;
    }
    case '#':
        if (line != "t" && line != "f") return broken("a boolean");
        reply.kind = Reply::Kind::boolean;
        reply.integer = line == "t";
        break;
    case '_':
        if (!line.empty()) return broken("a null");
        break;
    case '$':
    case '!':
    case '=':
        return begin_text(kind, line);
    case '*':
    case '~':
    case '>':
    case '%':
    case '|':
        return begin_list(kind, line);
    default:
        return broken("a type that is not known");
    }
    finish(std::move(reply));
    return {};
}

Result<> ReplyParser::begin_text(char kind, std::string_view line) {
    const auto length = integer_of(line);
    if (length == -1 && kind == '$') { // RESP2's null
        finish(Reply{});
        return {};
    }
    if (!length || *length < 0 || std::uint64_t(*length) > bounds_.text_bytes_max)
        return broken("the length of a text");
    total_bytes_ += std::size_t(*length);
    if (total_bytes_ > bounds_.total_bytes_max) return broken("too large");
    text_missing_ = std::size_t(*length);
    text_kind_ = kind;
    return {};
}

Result<> ReplyParser::begin_list(char kind, std::string_view line) {
    const auto count = integer_of(line);
    if (count == -1 && kind == '*') {
        finish(Reply{});
        return {};
    }
    if (!count || *count < 0 || std::uint64_t(*count) > bounds_.items_max)
        return broken("the length of a list");
    if (open_.size() >= bounds_.depth_max) return broken("nested too deep");
    if (kind == '>' && !open_.empty()) return broken("a push inside of a reply");
    Open list;
    list.reply.kind = kind == '>' ? Reply::Kind::push : Reply::Kind::list;
    list.is_attribute = kind == '|';
    list.missing = std::size_t(*count) * (kind == '%' || kind == '|' ? 2 : 1);
    if (list.missing > 0)
        open_.push_back(std::move(list));
    else if (!list.is_attribute)
        finish(std::move(list.reply));
    return {};
}

// The reply is whole: it is what was asked for, or the next item of the list around it. What
// completes a list completes the lists around that too.
void ReplyParser::finish(Reply reply) {
    for (;;) {
        if (open_.empty()) {
            done_ = std::move(reply);
            return;
        }
        Open& list = open_.back();
        list.reply.items.push_back(std::move(reply));
        if (--list.missing > 0) return;
        const bool is_attribute = list.is_attribute;
        reply = std::move(list.reply);
        open_.pop_back();
        if (is_attribute) return; // a remark on what follows; nobody here asks for it
    }
}

} // namespace urr
