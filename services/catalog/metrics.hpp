// Every figure catalog reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::catalog {

inline void append(MetricsText& out, const AnswerMetrics& answers) {
    answers.write(out, "urr_catalog");
}

} // namespace urr::catalog
