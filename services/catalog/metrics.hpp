// Every figure catalog reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::catalog {

struct Metrics {
    Counter reads, failed_reads, not_modified, from_memory;

    void append(MetricsText& out, const AnswerMetrics& answers) const {
        answers.write(out, "urr_catalog");
        out.counter("urr_catalog_reads_total", "Times that ticket's views were read.", reads);
        out.counter("urr_catalog_failed_reads_total", "Readings that failed.", failed_reads);
        out.counter("urr_catalog_from_memory_total", "Answers that were kept.", from_memory);
        out.counter("urr_catalog_not_modified_total", "Answers that the client had already.",
                    not_modified);
    }
};

} // namespace urr::catalog
