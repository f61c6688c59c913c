#include "services/queue/metrics.hpp"

namespace urr::queue {

void Metrics::write(MetricsText& out) const {
    constexpr std::string_view joins = "urr_queue_joins_total";
    constexpr std::string_view joins_help = "People who took a place in a line, by how.";
    out.counter(joins, joins_help, joined, R"(how="arrival")");
    out.counter(joins, joins_help, restored, R"(how="place")");
    out.counter(joins, joins_help, retaken, R"(how="entry")");
    out.counter("urr_queue_spent_receipts_total", "Receipts refused: another account's.", spent);
    out.counter("urr_queue_admitted_total", "Slots given.", admitted);
    out.counter("urr_queue_fetched_total", "Entry tokens handed over.", fetched);
    constexpr std::string_view ends = "urr_queue_slots_ended_total";
    constexpr std::string_view ends_help = "Places and slots that ended, by reason.";
    out.counter(ends, ends_help, returned, R"(reason="unfetched")");
    out.counter(ends, ends_help, left, R"(reason="left")");
    out.counter(ends, ends_help, bought, R"(reason="bought")");
    out.counter(ends, ends_help, expired, R"(reason="expired")");
    out.counter(ends, ends_help, cleared, R"(reason="cleared")");
    out.counter("urr_queue_rebuilt_total", "Events of an earlier store taken over.", rebuilt);
    out.counter("urr_queue_frames_total", "Frames rendered for streams.", frames);
    out.counter("urr_queue_levers_total", "Levers pulled by organizers.", levers);
    out.counter("urr_queue_failed_writes_total", "Writes of a tick that failed.", failed_writes);
    out.counter("urr_queue_recalled_total",
                "Members taken anew from the store: a write unheard of.", recalled);
    out.counter("urr_queue_failed_reports_total", "Reports that the room did not take.",
                failed_reports);
    constexpr std::string_view people = "urr_queue_people";
    constexpr std::string_view people_help = "People in all lines, by state.";
    out.gauge(people, people_help, waiting.value(), R"(state="waiting")");
    out.gauge(people, people_help, awake.value(), R"(state="awake")");
    out.gauge(people, people_help, active.value(), R"(state="active")");
    out.gauge("urr_queue_recovering", "Lines that gather their places.", recovering.value());
    out.gauge("urr_queue_streams", "Open streams.", streams.value());
}

} // namespace urr::queue
