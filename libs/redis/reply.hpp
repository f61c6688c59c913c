// What Redis answers, and the parser that reads it (RESP2 and RESP3) from bytes as they arrive.
//
//     ReplyParser parser;
//     std::size_t used = 0;
//     auto reply = TRY_PLAIN(parser.next(bytes, used));   // empty: more bytes are needed
//     bytes.remove_prefix(used);
//
// Strict: what is not RESP, nests too deep, or is larger than the bounds is BAD_GATEWAY, and the
// connection that it came from must be closed. Each byte is looked at once: what `used` covers is
// never needed again. One thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/result.hpp"

namespace urr {

struct Reply {
    enum class Kind : std::uint8_t { null, integer, number, boolean, text, error, list, push };

    Kind kind = Kind::null;
    std::int64_t integer = 0; // also of a boolean
    double number = 0;
    std::string text;         // of texts and errors
    std::vector<Reply> items; // of lists, sets and pushes; of a map the keys and values in turn

    bool is_null() const { return kind == Kind::null; }
    bool is_error() const { return kind == Kind::error; }
    bool is_error(std::string_view code) const {
        return is_error() && std::string_view(text).starts_with(code);
    }
    bool operator==(const Reply&) const = default;
};

struct ReplyBounds {
    std::size_t line_bytes_max = 64 * 1024;
    std::size_t text_bytes_max = 16 * 1024 * 1024;
    std::size_t total_bytes_max = 64 * 1024 * 1024; // of the texts of one reply
    std::size_t items_max = 1'000'000;              // of one reply
    std::size_t depth_max = 16;
};

class ReplyParser {
public:
    explicit ReplyParser(ReplyBounds bounds = {}) : bounds_(bounds) {}

    // One whole reply, or nothing while it is incomplete. `used` bytes are taken in both cases.
    Result<std::optional<Reply>> next(std::string_view bytes, std::size_t& used);

private:
    struct Open {
        Reply reply;
        std::size_t missing = 0; // items that are still to come
        bool is_attribute = false;
    };

    Result<bool> step(std::string_view bytes, std::size_t& used);
    Result<bool> take_text(std::string_view bytes, std::size_t& used);
    Result<> take_line(char kind, std::string_view line);
    Result<> begin_text(char kind, std::string_view line);
    Result<> begin_list(char kind, std::string_view line);
    void finish(Reply reply);

    ReplyBounds bounds_;
    std::vector<Open> open_;
    std::optional<Reply> done_;
    std::optional<std::size_t> text_missing_; // of a text whose length is known
    char text_kind_ = '$';
    std::size_t scanned_ = 0; // of an incomplete line: no end of line before here
    std::size_t items_ = 0, total_bytes_ = 0;
};

} // namespace urr
