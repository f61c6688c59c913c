// What queue sees of events: ticket's maps in the same process, on the same loop. All in the
// header: the simulator wires the services without the program's library.
#pragma once
#include "services/queue/service.hpp"
#include "services/ticket/service.hpp"

namespace urr::app {

inline queue::EventFacts facts_of(const ticket::SeatMap& map, Instant now) {
    const ticket::Event& e = map.event();
    return {.room = e.room,
            .published = e.published,
            .on_sale = now >= e.sale_start && now < e.sale_end,
            .over = now >= e.sale_end,
            .free = map.stock().free,
            .under_way = map.stock().under_way,
            .sold = map.sold()};
}

class EventsOfTicket final : public queue::Events {
public:
    EventsOfTicket(const ticket::Service& service, const Clock& clock)
        : service_(service), clock_(clock) {}
    std::optional<queue::EventFacts> find(const EventId& event) const override {
        const ticket::SeatMap* map = service_.find(event);
        if (!map) return std::nullopt;
        return facts_of(*map, clock_.now());
    }
    std::vector<EventId> published() const override {
        std::vector<EventId> ids;
        for (const auto& [id, map] : service_.events())
            if (map->event().published) ids.push_back(id);
        return ids;
    }

private:
    const ticket::Service& service_;
    const Clock& clock_;
};

} // namespace urr::app
