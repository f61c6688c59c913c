#include "services/ticket/component.hpp"

#include "libs/contract/events.hpp"
#include "services/ticket/store/evidence.hpp"

namespace urr::ticket {

namespace {

Rules rules_of(const Settings& given) {
    Rules rules;
    rules.hold = seconds(given.number("URR_HOLD_SECONDS"));
    rules.hold_after_decline = seconds(given.number("URR_HOLD_AFTER_DECLINE_SECONDS"));
    rules.declines_max = int(given.number("URR_DECLINES_MAX"));
    rules.lapses_max = int(given.number("URR_LAPSES_MAX"));
    rules.pause = seconds(given.number("URR_PAUSE_SECONDS"));
    return rules;
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), sweeper_(needs.database, "sweep", needs.holder),
      shared_locks_(given.yes("URR_SEAT_LOCKS") && needs.redis
                        ? std::make_unique<SharedSeatLocks>(*needs.redis)
                        : nullptr),
      own_locks_(given.yes("URR_SEAT_LOCKS") && !needs.redis ? std::make_unique<SeatLocks>()
                                                             : nullptr),
      service_({needs.database, needs.clock, needs.random, needs.revoked,
                std::move(needs.ticket_key), rules_of(given), &sweeper_, needs.is_alone, locks()}),
      routes_(service_), admin_routes_(service_), posters_(service_, needs.files),
      poster_routes_(service_, posters_),
      face_("ticket", std::move(needs.callers), {"payment"}, needs.clock),
      relay_(needs.database, needs.events, needs.holder, milliseconds(5), &needs.log,
             needs.evidence.works ? witness_reservations : nullptr),
      publisher_(make_publisher(needs.evidence, needs.database, needs.clock, needs.random,
                                {"ticket", needs.holder}, needs.log)) {
    routes_.add_to(face_.router());
    admin_routes_.add_to(face_.router());
    poster_routes_.add_to(face_.router());
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
    if (publisher_) jobs.spawn(publisher_->run());
    if (shared_locks_) jobs.spawn(shared_locks_->run());
}

std::vector<Subscription> Component::subscriptions() {
    return {{std::string(topic_reservation), "ticket", &service_}};
}

Task<> Component::close(Context) {
    service_.close_streams();
    co_await sweeper_.give_up();
    co_await relay_.hand_over();
    if (publisher_) co_await publisher_->hand_over();
}

void Component::append_metrics(MetricsText& out) const {
    service_.metrics().append(out, face_.answers());
    relay_.write(out, "urr_ticket");
    if (publisher_) publisher_->write(out, "urr_ticket");
}

} // namespace urr::ticket
