// Every figure auth reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::auth {

struct Figures {
    Counter registered, confirmed;
    Counter logins, logins_failed, logins_throttled, logins_overloaded;
    Counter refreshed, refreshed_again, refresh_refused, families_revoked;
    Counter passwords_changed;
    Counter tries_alone; // Redis was away
    Counter endings_read;
    Counter mails, mails_failed;
    Histogram password_time; // from asking the pool to its answer

    void append(MetricsText& out, const AnswerMetrics& answers) const;
};

} // namespace urr::auth
