// HTTP clients: pooled keep-alive connections to one target, and the loopback that reaches a router
// in the same process. Both are Transports, so a caller does not see which one it has.
#pragma once
#include <memory>
#include <string>

#include "libs/async/loop.hpp"
#include "libs/async/names.hpp"
#include "libs/http/message.hpp"
#include "libs/http/server.hpp"

namespace urr {

struct ClientLimits {
    std::size_t connections_max = 256; // waiting for one beyond that counts against the deadline
    std::size_t waiting_max = 4096;    // then OVERLOADED
    std::size_t body_bytes_max = 8 * 1024 * 1024;
    Duration connect_timeout = seconds(2);
    Duration request_timeout = seconds(10);
    // When a connection fails, what did not go out yet, GET, HEAD, PUT, DELETE and requests with an
    // Idempotency-Key are sent once more on a fresh one.
    bool retry_once = true;
    bool tells_timeout = true; // X-Urr-Timeout-Ms: for services of ours
};

struct HttpTarget {
    std::string host;
    std::uint16_t port = 80;
    bool tls = false;
    std::string ca_file = {};    // PEM; empty: the system's authorities
    std::string connect_to = {}; // an address instead of what the host's name resolves to
    // Who looks the name up, and outlives the client; nullptr: the system. Answers are kept for 30
    // s (HostAddresses), and asked for anew when none of them can be reached.
    Names* names = nullptr;
};

// One per loop and target; lives and is used on that loop. Server-sent events come as a stream, as
// they arrive; other bodies whole. Errors: UNAVAILABLE (no connection, or no answer to a read),
// DEADLINE_EXCEEDED, BAD_GATEWAY (not HTTP, or too large), OVERLOADED, OUTCOME_UNKNOWN (a write was
// sent and no answer came).
std::unique_ptr<Transport> connect_http(RunLoop& loop, const std::string& host, std::uint16_t port,
                                        const ClientLimits& limits);

// With TLS (1.2 or newer) the server must show a certificate of the host's name from an authority
// that is trusted; otherwise UNAVAILABLE says which of them was wrong, and nothing was sent.
std::unique_ptr<Transport> connect_http(RunLoop& loop, const HttpTarget& target,
                                        const ClientLimits& limits);

// The target's handler in this process. Views pass through, nothing is copied or parsed again.
std::unique_ptr<Transport> loopback(HttpHandler& handler);

} // namespace urr
