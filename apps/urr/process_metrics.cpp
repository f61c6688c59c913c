#include "apps/urr/process_metrics.hpp"

#include <algorithm>

namespace urr::app {

bool ProcessMetrics::clock_was_set_back() const {
    return std::ranges::any_of(
        stores_, [](const Store& store) { return store.database->counters().clock_was_set_back; });
}

void ProcessMetrics::append_listeners(MetricsText& out) const {
    struct Row {
        std::string_view name, help;
        LoopFigure ServerFigures::* figure;
        bool is_gauge = false;
    };
    static constexpr Row rows[] = {
        {"urr_http_connections_open", "Connections.", &ServerFigures::connections_open, true},
        {"urr_http_streams_open", "Streams.", &ServerFigures::streams_open, true},
        {"urr_http_connections_total", "Connections accepted.", &ServerFigures::connections},
        {"urr_http_requests_total", "Requests.", &ServerFigures::requests},
        {"urr_http_streams_total", "Streams begun.", &ServerFigures::streams},
        {"urr_http_refused_total", "Connections beyond the limit or the open files.",
         &ServerFigures::refused},
        {"urr_http_timeouts_total", "Connections that were silent or slow for too long.",
         &ServerFigures::timeouts},
        {"urr_http_bad_total", "Requests that could not be read.", &ServerFigures::bad}};
    for (const Row& row : rows)
        for (const Listener& listener : listeners_) {
            const std::int64_t value = (*listener.figures.*row.figure).value();
            if (row.is_gauge)
                out.gauge(row.name, row.help, value, listener.label);
            else
                out.counter(row.name, row.help, std::uint64_t(value), listener.label);
        }
}

void ProcessMetrics::append_metrics(MetricsText& out) const {
    std::uint64_t stalls = 0;
    for (const RunLoop* loop : loops_) stalls += loop->stalls();
    out.counter("urr_loop_stalls_total", "Turns that kept a loop longer than 50 ms.", stalls);
    append_listeners(out);
    if (!stores_.empty())
        out.gauge("urr_events_parked", "Messages that wait for urr replay.", parked.value());

    if (events_) events_->append_metrics(out);

    struct Figure {
        std::string_view name, help;
        std::uint64_t StoreCounters::* value;
    };
    static constexpr Figure figures[] = {
        {"urr_store_batches_total", "Commits.", &StoreCounters::batches},
        {"urr_store_works_total", "Works in them.", &StoreCounters::works},
        {"urr_store_rolled_back_total", "Works that ended with an error.",
         &StoreCounters::rolled_back},
        {"urr_store_dropped_total", "Works whose caller had gone.", &StoreCounters::dropped},
        {"urr_store_lost_batches_total", "Commits that failed.", &StoreCounters::lost_batches},
        {"urr_store_unknown_batches_total", "Commits whose outcome nobody knows.",
         &StoreCounters::unknown_batches},
        {"urr_store_retried_total", "Batches that met the locks of others.",
         &StoreCounters::retried},
        {"urr_store_reconnects_total", "Connections to the server that were lost.",
         &StoreCounters::reconnects},
        {"urr_store_clock_jumps_total", "Jumps of the server's clock; writes stopped at each.",
         &StoreCounters::clock_jumps}};
    std::vector<StoreCounters> counters;
    counters.reserve(stores_.size());
    for (const Store& store : stores_) counters.push_back(store.database->counters());
    for (const Figure& figure : figures)
        for (std::size_t i = 0; i < stores_.size(); ++i)
            out.counter(figure.name, figure.help, counters[i].*figure.value, stores_[i].label);
    for (const Store& store : stores_)
        out.gauge("urr_store_healthy", "0: takes no work.", store.database->healthy() ? 1 : 0,
                  store.label);
    for (std::size_t i = 0; i < stores_.size(); ++i)
        out.gauge("urr_store_clock_was_set_back", "1: the wall clock was behind the store's time.",
                  counters[i].clock_was_set_back ? 1 : 0, stores_[i].label);
}

} // namespace urr::app
