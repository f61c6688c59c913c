// Every figure payment reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::payment {

inline void append(MetricsText& out, const AnswerMetrics& answers) {
    answers.write(out, "urr_payment");
}

} // namespace urr::payment
