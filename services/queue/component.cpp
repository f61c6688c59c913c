#include "services/queue/component.hpp"

#include "services/queue/metrics.hpp"

namespace urr::queue {

namespace {

Parts parts_of(const Settings& given, Needs& needs) {
    Rules rules;
    rules.threshold = given.number("URR_THRESHOLD");
    return Parts{needs.database,
                 needs.clock,
                 needs.random,
                 needs.events,
                 needs.revoked,
                 needs.waiting_room,
                 std::move(needs.waiting_room_key),
                 std::move(needs.entry_key),
                 std::move(needs.place_key),
                 std::move(needs.waiting_room_tokens),
                 rules,
                 given.number("URR_ADMITTED_PER_SECOND")};
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), service_(parts_of(given, needs)), routes_(service_),
      face_("queue", std::move(needs.callers), {}, needs.clock),
      relay_(needs.database, needs.log_of_events, std::move(needs.holder), milliseconds(50)) {
    routes_.add_to(face_.router());
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
}

void Component::append_metrics(MetricsText& out) const { append(out, face_.answers()); }

} // namespace urr::queue
