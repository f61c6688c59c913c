// What every service counts of its answers, by class of status, and how long they took.
//
//     AnswerMetrics answers;
//     answers.count(response.status, took);
//     answers.write(out, "urr_ticket");        // urr_ticket_answers_total{class="2xx"} …
#pragma once
#include <array>

#include "libs/telemetry/metrics.hpp"

namespace urr {

class AnswerMetrics {
public:
    void count(int status, Duration took) {
        const int klass = status / 100;
        if (klass >= 1 && klass <= 5) answers_[std::size_t(klass - 1)].add();
        time_.observe(took);
    }
    void write(MetricsText& out, std::string_view prefix) const {
        static constexpr std::string_view labels[] = {R"(class="1xx")", R"(class="2xx")",
                                                      R"(class="3xx")", R"(class="4xx")",
                                                      R"(class="5xx")"};
        const std::string answers = std::string(prefix) + "_answers_total";
        for (std::size_t i = 0; i < answers_.size(); ++i)
            out.counter(answers, "Answers by class of status.", answers_[i], labels[i]);
        out.histogram(std::string(prefix) + "_answer_seconds", "From the request to its answer.",
                      time_);
    }

private:
    std::array<Counter, 5> answers_;
    Histogram time_;
};

} // namespace urr
