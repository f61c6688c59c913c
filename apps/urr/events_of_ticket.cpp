#include "apps/urr/events_of_ticket.hpp"

namespace urr::app {

std::optional<queue::EventFacts> EventsOfTicket::find(const EventId& event) const {
    const ticket::SeatMap* map = service_.find(event);
    if (!map) return std::nullopt;
    const ticket::Event& e = map->event();
    const Instant now = clock_.now();
    const Stock stock = map->stock();
    const std::int64_t sold = ticket::seat_count(e.layout) - stock.free - stock.under_way;
    return queue::EventFacts{e.room,     e.published,     now >= e.sale_start && now < e.sale_end,
                             stock.free, stock.under_way, sold};
}

std::vector<EventId> EventsOfTicket::published() const {
    std::vector<EventId> ids;
    for (const auto& [id, map] : service_.events())
        if (map->event().published) ids.push_back(id);
    return ids;
}

} // namespace urr::app
