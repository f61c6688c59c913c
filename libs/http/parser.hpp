// HTTP/1.1 message heads and chunked bodies (RFC 9112), parsed strictly: a message that two parsers
// could read in two ways is refused, so nobody can smuggle a request past us. Views only, no
// allocation. Pure functions: the fuzzers call them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/http/message.hpp"

namespace urr {

struct MessageHead {
    std::uint64_t content_length = 0;
    bool has_length = false;
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;
    bool connection_lists = false; // a Connection header names others
};

// Length of the head with its empty line, or npos; looks from `from` on (what was seen before).
std::size_t find_head_end(std::string_view buffer, std::size_t from);

// `head` ends with the empty line. Sets method, target, query and headers; `path` is for the caller
// (decode_path). BAD_REQUEST with the reason, URI_TOO_LONG, HEADERS_TOO_LARGE (too many lines).
Result<MessageHead> parse_request_head(std::string_view head, Request& request);

struct ResponseHead : MessageHead {
    int status = 0;
    std::string_view content_type;
};
// Appends the end-to-end headers to `headers` as ready lines; hop-by-hop ones are dropped.
Result<ResponseHead> parse_response_head(std::string_view head, std::string& headers);

// A chunked body, fed in pieces.
class ChunkDecoder {
public:
    explicit ChunkDecoder(std::size_t body_bytes_max) : bytes_max_(body_bytes_max) {}
    // Decodes from the front of `input`, appends to `body`; the number of bytes used up.
    // BAD_REQUEST, or BODY_TOO_LARGE.
    Result<std::size_t> feed(std::string_view input, std::string& body);
    bool done() const { return state_ == State::done; }

private:
    enum class State : std::uint8_t { size, data, data_end, trailer, done };
    Result<bool> read_size(std::string_view line);
    const std::size_t bytes_max_;
    std::size_t total_ = 0;
    std::uint64_t left_ = 0;
    State state_ = State::size;
};

} // namespace urr
