// Every figure ticket reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"

namespace urr::ticket {

struct Stocks {
    std::int64_t events = 0, free = 0, under_way = 0;
};

inline void append(MetricsText& out, const AnswerMetrics& answers, const Stocks& stocks) {
    answers.write(out, "urr_ticket");
    out.gauge("urr_ticket_events", "Events that are known.", stocks.events);
    out.gauge("urr_ticket_seats_free", "Seats that could be held now.", stocks.free);
    out.gauge("urr_ticket_seats_under_way", "Seats held or being paid.", stocks.under_way);
}

} // namespace urr::ticket
