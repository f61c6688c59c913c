#include "services/queue/component.hpp"

namespace urr::queue {

namespace {

Parts parts_of(const Settings& given, Needs& needs, LineStore& lines, Events& events) {
    Rules rules;
    rules.threshold = given.number("URR_THRESHOLD");
    return Parts{lines,
                 needs.clock,
                 needs.random,
                 events,
                 needs.revoked,
                 needs.waiting_room,
                 std::move(needs.waiting_room_key),
                 std::move(needs.entry_key),
                 std::move(needs.place_key),
                 std::move(needs.waiting_room_tokens),
                 rules,
                 given.number("URR_ADMITTED_PER_SECOND"),
                 seconds(given.number("URR_QUEUE_GATHER_SECONDS")),
                 std::size_t(given.number("URR_QUEUE_STREAMS"))};
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), events_(needs.catalog, std::move(needs.catalog_key), needs.clock),
      lines_(needs.database), service_(parts_of(given, needs, lines_, events_)),
      forgetting_{needs.database, events_, needs.clock, needs.log},
      routes_(service_, given.yes("URR_SECURE_COOKIES")),
      face_("queue", std::move(needs.callers), {}, needs.clock),
      relay_(needs.database, needs.log_of_events, std::move(needs.holder), milliseconds(50),
             &needs.log) {
    routes_.add_to(face_.router());
}

// Where catalog is not there yet, the lines are restored as soon as it is.
Task<Result<void>> Component::open(Context context) {
    (void)co_await events_.refresh(context);
    co_return co_await service_.open(context);
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(events_.run());
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
    jobs.spawn(keep_forgetting(forgetting_));
}

std::vector<Subscription> Component::subscriptions() {
    return {{std::string(topic_payment), "queue", &service_},
            {std::string(topic_queue), service_.log_group(), &service_}};
}

Task<> Component::close(Context) {
    service_.close_streams();
    co_await relay_.hand_over();
}

void Component::append_metrics(MetricsText& out) const {
    service_.metrics().write(out);
    events_.append_metrics(out);
    face_.answers().write(out, "urr_queue");
    relay_.write(out, "urr_queue");
}

} // namespace urr::queue
