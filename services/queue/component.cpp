#include "services/queue/component.hpp"

#include "services/queue/store/evidence.hpp"

namespace urr::queue {

namespace {

constexpr std::string_view lines_are_taken =
    "another process keeps the lines in queue's database: several share them in Redis alone "
    "(URR_QUEUE_SHARED=yes and URR_REDIS_URLS)";
constexpr Duration carry_pause = milliseconds(50), carry_time = seconds(5);

// What is read under the name of one life of the store: where another has begun, it is read again
// under that one's, and here nothing is taken for it any more.
class OneLife final : public Consumer {
public:
    explicit OneLife(Service& service) : service_(service), generation_(service.generation()) {}
    Task<Result<void>> consume(Context context, Message message) override {
        if (service_.generation() != generation_) co_return fail(Code::UNAVAILABLE);
        co_return co_await service_.consume(context, std::move(message));
    }
    const GenerationId& generation() const { return generation_; }

private:
    Service& service_;
    const GenerationId generation_;
};

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
                 std::move(needs.shown_keys),
                 rules,
                 given.number("URR_ADMITTED_PER_SECOND"),
                 seconds(given.number("URR_QUEUE_GATHER_SECONDS")),
                 std::size_t(given.number("URR_QUEUE_STREAMS"))};
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), events_(needs.catalog, std::move(needs.catalog_key), needs.clock),
      log_(needs.log_of_events), lines_(make_lines(given, needs)),
      service_(parts_of(given, needs, *lines_, events_)),
      forgetting_{needs.database, events_, needs.clock, needs.log},
      routes_(service_, given.yes("URR_SECURE_COOKIES")),
      face_("queue", std::move(needs.callers), {}, needs.clock),
      relay_(needs.database, needs.log_of_events, needs.holder, milliseconds(50), &needs.log,
             needs.evidence.works ? witness_admissions : nullptr),
      publisher_(make_publisher(needs.evidence, needs.database, needs.clock, needs.random,
                                {"queue", needs.holder}, needs.log)) {
    if (needs.store_is_shared && !shared_)
        sole_ = std::make_unique<SoleProcess>(
            needs.database, SoleProcess::Claimed{"line", "queue", lines_are_taken}, needs.holder);
    routes_.add_to(face_.router());
}

std::unique_ptr<LineStore> Component::make_lines(const Settings& given, const Needs& needs) {
    if (!given.yes("URR_QUEUE_SHARED") || !needs.redis)
        return std::make_unique<SqlLines>(needs.database);
    RedisLinesOptions options{needs.holder};
    if (needs.evidence.works) options.evidence = &needs.database;
    auto shared = std::make_unique<RedisLines>(*needs.redis, options);
    shared_ = shared.get();
    return shared;
}

// What shared lines tell goes to the log: the store's own, and that of events whose turn is ours.
Task<> Component::carry() {
    for (;;) {
        Context context;
        context.deadline = Loop::here().now() + carry_time;
        std::size_t carried = (co_await shared_->carry(context, log_, EventId{})).value_or(0);
        for (const EventId& event : events_.published())
            if (shared_->has_turn(event))
                carried += (co_await shared_->carry(context, log_, event)).value_or(0);
        if (carried == 0) (void)co_await sleep(Context{}, carry_pause);
    }
}

// Each life of the store reads the log by a name of its own, from the beginning.
Task<> Component::read_log() {
    std::unique_ptr<OneLife> life;
    Nursery reading;
    for (;;) {
        if (service_.generation() != (life ? life->generation() : GenerationId{})) {
            reading.clear();
            life = std::make_unique<OneLife>(service_);
            reading.spawn(replace_readers(service_.log_group()));
            reading.spawn(log_.deliver(std::string(topic_queue), service_.log_group(), *life));
        }
        (void)co_await sleep(Context{}, carry_pause);
    }
}

// Earlier lives of the store do not read any more: nothing is to be kept for them.
Task<> Component::replace_readers(std::string group) {
    while (!co_await log_.replace_groups(Context{}, std::string(topic_queue), group,
                                         std::string(Service::log_groups)))
        (void)co_await sleep(Context{}, carry_pause);
}

// Who holds lines in memory goes by them alone: two would let in two crowds.
Task<Result<void>> Component::claim() {
    if (sole_) TRY(co_await sole_->claim());
    co_return Result<void>{};
}

Task<> Component::stop_when_lost() {
    co_await sole_->lost();
    ticks_.clear();
}

// Where catalog is not there yet, the lines are restored as soon as it is.
Task<Result<void>> Component::open(Context context) {
    (void)co_await events_.refresh(context);
    co_return co_await service_.open(context);
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(events_.run());
    jobs.spawn(relay_.run());
    (sole_ ? ticks_ : jobs).spawn(service_.run_jobs());
    if (sole_) jobs.spawn(stop_when_lost());
    jobs.spawn(keep_forgetting(forgetting_));
    if (publisher_) jobs.spawn(publisher_->run());
    if (shared_) {
        jobs.spawn(carry());
        jobs.spawn(read_log());
    } else {
        jobs.spawn(replace_readers(service_.log_group()));
    }
}

std::vector<Subscription> Component::subscriptions() {
    std::vector<Subscription> all{{std::string(topic_payment), "queue", &service_}};
    if (!shared_) all.push_back({std::string(topic_queue), service_.log_group(), &service_});
    return all;
}

Task<> Component::close(Context) {
    service_.close_streams();
    co_await relay_.hand_over();
    if (publisher_) co_await publisher_->hand_over();
    ticks_.clear();
    if (sole_) co_await sole_->give_up();
}

void Component::append_metrics(MetricsText& out) const {
    service_.metrics().write(out);
    events_.append_metrics(out);
    face_.answers().write(out, "urr_queue");
    relay_.write(out, "urr_queue");
    if (publisher_) publisher_->write(out, "urr_queue");
}

} // namespace urr::queue
