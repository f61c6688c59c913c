// Every figure the worker reports.
#pragma once
#include "libs/telemetry/metrics.hpp"

namespace urr::worker {

struct Metrics {
    Counter messages, records, known;
    Counter gaps, conflicts, broken, unreadable, failed; // refused: each is an alarm
    Counter away;                                        // times that the ledger or the queue was
    Counter locked;                                      // times that a chain's row was
    Gauge stopped, aside;                                // alarms above zero
    Histogram write_time;

    void write(MetricsText& out) const {
        out.counter("urr_worker_messages_total", "Messages written and acknowledged.", messages);
        out.counter("urr_worker_records_total", "Records added to chains.", records);
        out.counter("urr_worker_known_total", "Records that stood there already.", known);
        constexpr std::string_view refusals = "urr_worker_refused_total";
        constexpr std::string_view why = "Messages that were not acknowledged.";
        out.counter(refusals, why, gaps, R"(reason="gap")");
        out.counter(refusals, why, conflicts, R"(reason="conflict")");
        out.counter(refusals, why, broken, R"(reason="broken")");
        out.counter(refusals, why, unreadable, R"(reason="unreadable")");
        out.counter(refusals, why, failed, R"(reason="failed")");
        out.counter("urr_worker_away_total", "Times that ledger or queue did not answer.", away);
        out.counter("urr_worker_locked_total", "Times that somebody kept a chain's row locked.",
                    locked);
        out.gauge("urr_worker_chains_stopped", "Events whose chain waits for a missing record.",
                  stopped.value());
        out.gauge("urr_worker_aside", "Messages in the dead-letter queue.", aside.value());
        out.histogram("urr_worker_write_seconds", "One message, from its turn to its commit.",
                      write_time);
    }
};

} // namespace urr::worker
