#include "services/payment/component.hpp"

#include "libs/contract/events.hpp"
#include "services/payment/metrics.hpp"

namespace urr::payment {

Component::Component(const Settings&, Needs needs)
    : database_(needs.database), acquirer_database_(needs.acquirer_database), log_(needs.log),
      acquirer_(make_sandbox_acquirer(needs.acquirer_database)),
      tickets_(make_tickets_client(needs.ticket, std::move(needs.ticket_key), needs.clock)),
      service_({needs.database, needs.clock, needs.random, *acquirer_, *tickets_}),
      routes_(service_), face_("payment", std::move(needs.callers), {}, needs.clock),
      relay_(needs.database, needs.events, std::move(needs.holder), milliseconds(5)) {
    routes_.add_to(face_.router());
}

Task<Result<void>> Component::open(Context context) {
    const auto settled = co_await service_.reconcile(context, Duration{});
    if (!settled)
        log_.write(Level::warning, "reconcile_failed", {{"error", settled.error().text()}});
    co_return Result<void>{};
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
}

std::vector<Subscription> Component::subscriptions() {
    return {{std::string(topic_payment), "payment", &service_}};
}

void Component::append_metrics(MetricsText& out) const { append(out, face_.answers()); }

} // namespace urr::payment
