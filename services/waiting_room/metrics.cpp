#include "services/waiting_room/metrics.hpp"

namespace urr::waiting_room {

void Figures::write(MetricsText& out) const {
    const auto counter = [&out](std::string_view name, std::string_view help,
                                const std::atomic<std::uint64_t>& value) {
        out.counter("urr_vwr_" + std::string(name), help, value.load(std::memory_order_relaxed));
    };
    counter("assigned_total", "Places given.", doors.assigned);
    counter("repeated_total", "Places given again to the same holder.", doors.repeated);
    counter("checks_total", "Questions whether a place is served.", doors.checked);
    counter("admitted_total", "Tokens given.", doors.admitted);
    counter("statuses_total", "Status answers, those of caches not counted.", doors.statuses);
    counter("limited_total", "Places refused because of the limit per address.", doors.limited);
    counter("served_total", "People whose place was served.", keeper.served);
    counter("leases_total", "Leases of positions.", keeper.leases);
    counter("reports_total", "Reports from queue.", keeper.reports);
    counter("stale_reports_total", "Reports older than one applied before.", keeper.stale_reports);
    counter("turns_total", "Turns of the keeper.", keeper.turns);
    counter("failed_writes_total", "Writes to the store that failed.", keeper.failed_writes);
    counter("conflicts_total", "Writes that another process forestalled.", keeper.conflicts);
}

} // namespace urr::waiting_room
