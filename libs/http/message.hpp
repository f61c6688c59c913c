// HTTP messages as our services see them: a request is views into the buffer it was read into, a
// response is a status, header lines that are ready to send, and a body (or a stream).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/async/task.hpp"
#include "libs/core/random.hpp"
#include "libs/core/result.hpp"

namespace urr {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view method_name(Method method);

// An address of version 4 (as ::ffff:a.b.c.d) or 6.
struct Address {
    std::array<unsigned char, 16> bytes{};
    bool operator==(const Address&) const = default;
    std::string text() const;
    static std::optional<Address> parse(std::string_view text);
};

struct Header {
    std::string_view name; // as it came; compare with same_header
    std::string_view value;
};
bool same_letters(const char* a, const char* b, std::size_t size);
// Without regard to case. Most differ in length.
inline bool same_header(std::string_view a, std::string_view b) {
    return a.size() == b.size() && same_letters(a.data(), b.data(), a.size());
}

// Views only: valid while the handler that got it runs (the server keeps the buffer until the
// response is complete). Copyable; whoever forwards a request copies it and changes the copy.
struct Request {
    static constexpr std::size_t headers_max = 64;
    static constexpr std::size_t parameters_max = 4;

    Request() noexcept {} // room for headers is left as it is: this is the hottest object
    Request(const Request& other) noexcept { *this = other; }
    Request& operator=(const Request& other) noexcept;

    Method method = Method::get;
    std::string_view target; // as it came: /api/v1/seats/018f...?grade=A
    std::string_view path;   // strictly decoded, without the query; the router matches this
    std::string_view query;  // as it came, without '?'
    std::string_view body;
    std::string_view date; // an IMF-fixdate for the Date header, of this second
    Address peer;          // the other end of the connection; the gateway finds the client
    std::array<std::string_view, parameters_max> parameters{}; // of the route's {names}, in order

    std::string_view header(std::string_view name) const; // first of that name, or empty
    bool has_header(std::string_view name) const;
    std::span<const Header> headers() const { return {headers_, header_count_}; }
    // False when there are headers_max already.
    bool add_header(std::string_view name, std::string_view value);
    void remove_headers(std::string_view name) { remove_headers({&name, 1}); }
    void remove_headers(std::span<const std::string_view> names);
    // A cookie of the Cookie header, or empty.
    std::string_view cookie(std::string_view name) const;

private:
    std::size_t header_count_ = 0;
    union {
        Header headers_[headers_max]; // the first header_count_ are there
    };
};

// A body that goes on: server-sent events. Each frame is shared by all who read the stream.
class Stream {
public:
    virtual ~Stream() = default;
    // The next frame; nullptr: the stream has ended. An Error ends the connection.
    virtual Task<Result<std::shared_ptr<const std::string>>> next(Context context) = 0;
};

struct Response {
    int status = 200;
    std::string_view content_type; // a constant; empty: no body
    std::string headers;           // lines "Name: value\r\n", ready to send
    std::string body;
    std::unique_ptr<Stream> stream;
    bool is_last = false; // in a client: the server ends the connection behind it

    // The value must hold no line break; such a header is dropped.
    Response& add(std::string_view name, std::string_view value);
    Response& add(std::string_view name, std::int64_t value);
    // First header of that name, or empty. Content-Type and Content-Length are not among them.
    std::string_view header(std::string_view name) const;
};

inline constexpr std::string_view type_json = "application/json";
inline constexpr std::string_view type_problem = "application/problem+json";
inline constexpr std::string_view type_html = "text/html; charset=utf-8";
inline constexpr std::string_view type_text = "text/plain; charset=utf-8";
inline constexpr std::string_view type_events = "text/event-stream";

Response json_response(int status, std::string body);
// RFC 9457: type, title, status, detail, code, traceId, errors; Retry-After where the error says
// so. The title is English, or Korean where `accept_language` prefers it.
Response problem(const Error& error, const Trace& trace, std::string_view accept_language = {});

// How many milliseconds the caller still waits: the deadline, passed on between services.
inline constexpr std::string_view timeout_header = "X-Urr-Timeout-Ms";
std::optional<Duration> timeout_of(const Request& request);

// Of a request that is served until then, with a trace of its own or below its caller's.
Context context_of(const Request& request, Instant deadline, Random& random);

// How one service reaches another: over a socket, or by loopback in the same process.
class Transport {
public:
    virtual ~Transport() = default;
    // The request's views must live until the task ends.
    virtual Task<Result<Response>> send(Context context, Request request) = 0;
};

} // namespace urr
