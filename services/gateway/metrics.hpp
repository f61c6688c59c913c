// Every figure the gateway reports.
#pragma once
#include "libs/contract/ended_sessions.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr::gateway {

struct Metrics {
    Counter requests, token_checks, token_hits, refused_tokens, ended_tokens;
    Counter limited, entries_refused, upstream_failures, breaker_refusals;

    void write(MetricsText& out) const {
        out.counter("urr_gateway_requests_total", "Requests, those of the door not counted.",
                    requests);
        out.counter("urr_gateway_token_checks_total", "Signatures of tokens checked.",
                    token_checks);
        out.counter("urr_gateway_token_hits_total", "Tokens known from before.", token_hits);
        out.counter("urr_gateway_refused_tokens_total", "Tokens that were no good.",
                    refused_tokens);
        out.counter("urr_gateway_ended_tokens_total",
                    "Good tokens refused because their session has ended.", ended_tokens);
        out.counter("urr_gateway_limited_total", "Requests over their limit.", limited);
        out.counter("urr_gateway_entries_refused_total", "Entry tokens missing or no good.",
                    entries_refused);
        out.counter("urr_gateway_upstream_failures_total", "Services that did not answer.",
                    upstream_failures);
        out.counter("urr_gateway_breaker_refusals_total", "Refused because a service is away.",
                    breaker_refusals);
    }
};

// What is known of sessions; the second should stay 0.
inline void write(const EndedSessions& ended, MetricsText& out) {
    out.gauge("urr_gateway_ended_sessions", "Sessions that ended while tokens may be about.",
              std::int64_t(ended.known().size()));
    out.counter("urr_gateway_ended_sessions_not_kept_total",
                "Sessions that ended while too many had: believed until their tokens expire.",
                ended.not_kept());
}

} // namespace urr::gateway
