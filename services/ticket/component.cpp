#include "services/ticket/component.hpp"

#include "libs/contract/events.hpp"
#include "services/ticket/metrics.hpp"

namespace urr::ticket {

namespace {

Rules rules_of(const Settings& given) {
    Rules rules;
    rules.hold = seconds(given.number("URR_HOLD_SECONDS"));
    return rules;
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), service_({needs.database, needs.clock, needs.random, needs.revoked,
                                           std::move(needs.ticket_key), rules_of(given)}),
      routes_(service_), face_("ticket", std::move(needs.callers), {"payment"}, needs.clock),
      relay_(needs.database, needs.events, std::move(needs.holder), milliseconds(5)) {
    routes_.add_to(face_.router());
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
}

std::vector<Subscription> Component::subscriptions() {
    return {{std::string(topic_reservation), "ticket", &service_}};
}

void Component::append_metrics(MetricsText& out) const {
    Stocks stocks;
    for (const auto& [id, map] : service_.events()) {
        ++stocks.events;
        stocks.free += map->stock().free;
        stocks.under_way += map->stock().under_way;
    }
    append(out, face_.answers(), stocks);
}

} // namespace urr::ticket
