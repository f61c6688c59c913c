// Every figure queue reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::queue {

inline void append(MetricsText& out, const AnswerMetrics& answers) {
    answers.write(out, "urr_queue");
}

} // namespace urr::queue
