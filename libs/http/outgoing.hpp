// A request as a client writes it: its bytes, and whether it may be sent twice. Pure.
#pragma once
#include <optional>
#include <string>

#include "libs/http/message.hpp"

namespace urr {

// Changes nothing at the server.
bool is_safe(const Request& request);
// May be done twice: safe, idempotent by its method, or with an Idempotency-Key.
bool repeatable(const Request& request);

// Replaces `out`. The request's own Host and X-Urr-Timeout-Ms are left out; `left` is how long the
// caller still waits, or nothing where the server need not know.
void render_request(const Request& request, const std::string& host, std::optional<Duration> left,
                    std::string& out);

} // namespace urr
