// Every figure payment reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"
#include "services/payment/domain/attempt.hpp"

namespace urr::payment {

struct Metrics {
    Counter captured, declined, refused, voided, strays, refunds;
    Counter told, told_again, forged, mismatched;
    Histogram capture_time; // of the provider's part
    Gauge unknown, unknown_long, ledger_faults;

    void settled(AttemptState state) {
        if (state == AttemptState::captured)
            captured.add();
        else if (state == AttemptState::declined)
            declined.add();
        else if (state == AttemptState::refused)
            refused.add();
        else if (state == AttemptState::voided)
            voided.add();
        else if (state == AttemptState::stray)
            strays.add();
    }

    void append(MetricsText& out, const AnswerMetrics& answers) const {
        answers.write(out, "urr_payment");
        constexpr std::string_view outcomes = "urr_payment_outcomes_total";
        constexpr std::string_view what = "What attempts came to.";
        out.counter(outcomes, what, captured, R"(outcome="captured")");
        out.counter(outcomes, what, declined, R"(outcome="declined")");
        out.counter(outcomes, what, refused, R"(outcome="refused")");
        out.counter(outcomes, what, voided, R"(outcome="voided")");
        out.counter("urr_payment_strays_total", "Money that came for no begun payment.", strays);
        out.counter("urr_payment_refunds_total", "Payments given back.", refunds);
        constexpr std::string_view callbacks = "urr_payment_callbacks_total";
        constexpr std::string_view calls = "What providers called back with.";
        out.counter(callbacks, calls, told, R"(kind="news")");
        out.counter(callbacks, calls, told_again, R"(kind="known")");
        out.counter(callbacks, calls, forged, R"(kind="forged")");
        out.counter(callbacks, calls, mismatched, R"(kind="mismatched")");
        out.histogram("urr_payment_capture_seconds", "From asking the provider to its answer.",
                      capture_time);
        out.gauge("urr_payment_unknown", "Attempts whose outcome is asked for.", unknown.value());
        out.gauge("urr_payment_unknown_long", "Those older than 15 minutes: look into them.",
                  unknown_long.value());
        out.gauge("urr_payment_ledger_faults", "Entries that do not balance: never any.",
                  ledger_faults.value());
    }
};

} // namespace urr::payment
