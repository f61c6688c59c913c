#include "services/waiting_room/component.hpp"

namespace urr::waiting_room {

std::span<const Migration> migrations() {
    static const Migration all[] = {{1, "waiting rooms and their leases", room_tables}};
    return all;
}

Component::Component(Database& database, std::vector<Loop*> loops, const Clock& clock,
                     Random& random, Settings settings)
    : settings_(std::move(settings)), store_(make_sql_room_store(database)), table_(loops),
      keeper_(*loops.front(), table_, *store_, random, settings_.rate),
      rooms_(table_, keeper_, clock, random, settings_.receipt_keys, settings_.token_key) {
    for (Loop* loop : loops)
        doors_.push_back(std::make_unique<Door>(rooms_, settings_.callers, clock, *loop,
                                                settings_.door, random.next()));
}

void Component::append_metrics(std::string& out) const {
    Figures figures{keeper_.counters(), {}};
    for (const auto& door : doors_) {
        const DoorCounters& c = door->counters();
        figures.doors.assigned += c.assigned.load(std::memory_order_relaxed);
        figures.doors.repeated += c.repeated.load(std::memory_order_relaxed);
        figures.doors.checked += c.checked.load(std::memory_order_relaxed);
        figures.doors.admitted += c.admitted.load(std::memory_order_relaxed);
        figures.doors.statuses += c.statuses.load(std::memory_order_relaxed);
        figures.doors.limited += c.limited.load(std::memory_order_relaxed);
    }
    figures.append(out);
}

} // namespace urr::waiting_room
