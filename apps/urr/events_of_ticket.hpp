// What queue sees of events: ticket's maps in the same process, on the same loop.
#pragma once
#include "services/queue/service.hpp"
#include "services/ticket/service.hpp"

namespace urr::app {

class EventsOfTicket final : public queue::Events {
public:
    EventsOfTicket(const ticket::Service& service, const Clock& clock)
        : service_(service), clock_(clock) {}
    std::optional<queue::EventFacts> find(const EventId& event) const override;
    std::vector<EventId> published() const override;

private:
    const ticket::Service& service_;
    const Clock& clock_;
};

} // namespace urr::app
