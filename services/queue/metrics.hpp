// Every figure queue reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::queue {

struct Metrics {
    Counter joined, restored, retaken, spent;        // ways into the line, and the one refused
    Counter admitted, fetched, returned;             // ways to the seats, and back
    Counter left, bought, expired, cleared, rebuilt; // ways out
    Counter frames, levers, failed_writes, failed_reports, recalled;
    // Of all events together, as of the last tick.
    Gauge waiting, awake, active, recovering, streams;

    void write(MetricsText& out) const;
};

} // namespace urr::queue
