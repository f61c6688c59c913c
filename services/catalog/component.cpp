#include "services/catalog/component.hpp"

namespace urr::catalog {

Component::Component(const Settings&, Needs needs)
    : tickets_(needs.tickets), catalog_(needs.tickets, needs.clock),
      face_("catalog", std::move(needs.callers), {"queue"}, needs.clock) {
    catalog_.add_to(face_.router());
}

void Component::append_metrics(MetricsText& out) const {
    catalog_.metrics().append(out, face_.answers());
}

} // namespace urr::catalog
