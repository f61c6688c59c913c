// The lean HTTP/1.1 server: one listener per loop (SO_REUSEPORT), connections stay on their loop.
// A request is parsed as views into the connection's read buffer; pipelined requests are answered
// in one write. Slow or silent clients are closed; limits are those of ServerLimits.
//
// Two kinds of handlers: the HotHandler answers at once into the output buffer, without a coroutine
// or an allocation (the door of the waiting room); what it leaves goes to the Handler.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "libs/async/loop.hpp"
#include "libs/http/message.hpp"

namespace urr {

struct ServerLimits {
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 1024 * 1024;
    // Of requests that the handler admits (HttpHandler::admit_large_body), and how many of them a
    // loop has in memory at once; one more is 503 OVERLOADED.
    std::size_t large_body_bytes_max = 5 * 1024 * 1024;
    std::size_t large_bodies_max = 4;
    // What a loop keeps in memory of answers that their clients have not taken yet. Beyond it an
    // answer of more than large_answer_bytes is 503 OVERLOADED in its place: readers who crawl, or
    // never read, cost no more memory than that.
    std::size_t unsent_bytes_max = 128 * 1024 * 1024;
    std::size_t connections_max = 60'000; // per loop
    std::size_t streams_max = 20'000;     // per loop; then 503 STREAMS_FULL
    // From the first byte to the last; a large body has a second more for each 64 KiB.
    Duration request_timeout = seconds(10);
    Duration idle_timeout = seconds(75);
    // Who takes nothing of an answer for so long is closed, and who has fallen behind 64 KiB a
    // second by so much.
    Duration write_timeout = seconds(10);
    // Several loops of this process listen on the port (SO_REUSEPORT). Otherwise a second listener,
    // of another process too, is refused.
    bool port_is_shared = false;
};

// See ServerLimits::unsent_bytes_max.
inline constexpr std::size_t large_answer_bytes = 256 * 1024;

class HttpHandler {
public:
    virtual ~HttpHandler() = default;
    // May this request, whose Content-Length is beyond the ordinary limit, send its body? Asked
    // before any of it is read, so by who sends it too; the body is empty. The error is the answer.
    virtual Result<> admit_large_body(const Request&) { return fail(Code::BODY_TOO_LARGE); }
    // The answer to one that may not, or for which there is no room now.
    virtual Response refuse_large_body(const Request&, const Context& context, const Error& error) {
        return problem(error, context.trace);
    }
    // Appends a complete response to `out` and returns true, or leaves `out` alone. Must not wait.
    virtual bool answer_at_once(const Request&, std::string&) { return false; }
    virtual Task<Response> handle(Context context, Request request) = 0;
};

// Written by one loop alone, so without a locked instruction; any thread may read.
class LoopFigure {
public:
    void add(std::int64_t by = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

struct ServerFigures {
    LoopFigure connections, requests, streams; // so far
    LoopFigure refused;                        // connections: too many, or no files left
    LoopFigure timeouts;                       // connections: silent or slow
    LoopFigure bad;                            // requests that could not be read
    LoopFigure connections_open, streams_open;
};

class HttpServer {
public:
    virtual ~HttpServer() = default;
    // The port it listens on (useful after asking for port 0).
    virtual std::uint16_t port() const = 0;
    // Serves on, but each answer ends its connection, so that clients and balancers move away.
    virtual void retire() = 0;
    // No new connections; idle ones are closed, streams told to reconnect; ends when all have gone
    // or the deadline comes.
    virtual Task<> drain(Context context) = 0;
    // They outlive the server, for whoever shows them.
    virtual std::shared_ptr<const ServerFigures> figures() const = 0;
};

// Listens at once. UNAVAILABLE with a clear text when the port is in use. Own loop's thread, or
// before the loop runs. The handler outlives the server.
Result<std::unique_ptr<HttpServer>> listen_http(RunLoop& loop, const std::string& address,
                                                std::uint16_t port, HttpHandler& handler,
                                                const ServerLimits& limits);

} // namespace urr
