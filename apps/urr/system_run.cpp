// System from its opening to its end; how it is composed stands in system.cpp.
#include "apps/urr/system.hpp"

#include <algorithm>

#include "libs/messaging/table_queue.hpp"

namespace urr::app {

namespace {

constexpr Duration watch_interval = seconds(1);

// Hands a message to who listens to its topic; the others' are refused and stay parked.
class ByTopic final : public Consumer {
public:
    void add(const Subscription& subscription) {
        consumers_.emplace(subscription.topic, subscription.consumer);
    }
    bool empty() const { return consumers_.empty(); }
    Task<Result<void>> consume(Context context, Message message) override {
        const auto found = consumers_.find(message.topic);
        if (found == consumers_.end()) co_return fail(Code::CONFLICT, "another topic");
        co_return co_await found->second->consume(context, std::move(message));
    }

private:
    std::map<std::string, Consumer*, std::less<>> consumers_;
};

} // namespace

System::~System() {
    jobs_.clear();
    for (auto& side : side_loops_) side->end(); // before the doors that they serve
}

Task<Result<void>> System::run() {
    TRY(co_await open());
    TRY(listen());
    standing_ = Standing::ready;
    log_.write(Level::info, "started", {{"role", role_}, {"instance", instance_}});
    (void)co_await stopping_.wait(Context{});
    standing_ = Standing::draining;
    log_.write(Level::info, "draining");
    co_await drain();
    log_.write(Level::info, "stopped");
    if (!must_end_.empty()) co_return fail(Code::UNAVAILABLE, std::string(must_end_));
    co_return Result<void>{};
}

Task<Result<void>> System::open() {
    if (stores_.works) TRY(co_await let_works_go(Context{}, *stores_.works));
    if (!works_ && (ticket_ || queue_)) log_.write(Level::warning, "evidence_off");
    if (!files_ && ticket_) log_.write(Level::warning, "posters_off");
    for (ServiceComponent* part : components_) TRY(co_await part->claim());
    for (ServiceComponent* part : components_) TRY(co_await part->open(Context{}));
    for (ServiceComponent* part : components_) {
        part->start_jobs(jobs_);
        for (Subscription& s : part->subscriptions())
            jobs_.spawn(events_->deliver(std::move(s.topic), std::move(s.group), *s.consumer));
    }
    if (events_) {
        const Duration kept = hours(settings_.number("URR_EVENTS_KEPT_HOURS"));
        std::vector<std::pair<std::string_view, Database*>> stores;
        if (ticket_) stores.emplace_back("ticket", stores_.ticket.get());
        if (payment_) stores.emplace_back("payment", stores_.payment.get());
        if (queue_) stores.emplace_back("queue", stores_.queue.get());
        pruned_.emplace(Pruned{std::move(stores), *events_, revoked_.entries, clock_, log_, kept});
        jobs_.spawn(keep_pruned(*pruned_));
    }
    jobs_.spawn(watch());
    co_return Result<void>{};
}

Result<> System::listen() {
    for (const Port& port : ports_of(roles_)) TRY_PLAIN(listen(port));
    for (const Listener& listener : listeners_)
        process_.watch(listener.service, 0, *listener.server);
    for (std::size_t i = 0; i < side_loops_.size(); ++i)
        process_.watch("vwr", i + 1, side_loops_[i]->server());
    for (auto& side : side_loops_) side->start(); // what they show is complete from here on
    std::string ports;
    for (const Listener& listener : listeners_)
        ports += (ports.empty() ? "" : ", ") + listener.service + " " +
                 std::to_string(listener.server->port());
    std::printf("urr: ready on %s: %s\n", settings_.text("URR_LISTEN").c_str(), ports.c_str());
    std::fflush(stdout);
    return {};
}

// The gateway's port shows the whole process; every other port its own service.
Result<> System::listen(const Port& port) {
    const auto service = [&](auto& part) {
        return listen_for_a_service(port, *part, part->face());
    };
    if (port.role == "vwr") return listen_for_the_waiting_room(port.setting);
    if (port.role == "auth") return service(auth_);
    if (port.role == "ticket") return service(ticket_);
    if (port.role == "payment") return service(payment_);
    if (port.role == "queue") return service(queue_);
    if (port.role == "catalog") return service(catalog_);
    if (port.role == "worker") return service(worker_);
    return listen(roles_.all() ? "urr" : "gateway", port.setting, gateway_->face(),
                  {components_.begin(), components_.end()});
}

// A port of its own, for its callers in other processes.
Result<> System::listen_for_a_service(const Port& port, const ServiceComponent& part,
                                      HttpHandler& face) {
    std::vector<const ServiceComponent*> shown{&part};
    if (listeners_.empty()) shown.insert(shown.begin(), &process_); // once per process
    if (port.role == "ticket" && worker_) shown.push_back(worker_.get());
    return listen(std::string(port.role), port.setting, face, std::move(shown));
}

Result<> System::listen(const std::string& service, std::string_view port, HttpHandler& inner,
                        std::vector<const ServiceComponent*> components, bool port_is_shared) {
    auto face = std::make_unique<OperatorFace>(service, inner, std::move(components), standing_);
    ServerLimits limits;
    limits.port_is_shared = port_is_shared;
    auto server = listen_http(loop_, settings_.text("URR_LISTEN"),
                              std::uint16_t(settings_.number(port)), *face, limits);
    if (!server)
        return fail(Code::UNAVAILABLE,
                    std::string(port) + ": " + std::string(server.error().text()));
    listeners_.push_back({service, std::move(face), std::move(*server)});
    return {};
}

Result<> System::listen_for_the_waiting_room(std::string_view port_setting) {
    const std::vector<const ServiceComponent*> shown{&process_, waiting_room_.get()};
    TRY_PLAIN(listen("vwr", port_setting, waiting_room_->face(), shown));
    if (side_loops_.empty()) return {};
    // The port was free; only now may it be shared, else another process's would be too.
    listeners_.pop_back();
    TRY_PLAIN(listen("vwr", port_setting, waiting_room_->face(), shown, true));
    const std::uint16_t port = listeners_.back().server->port();
    for (std::size_t i = 0; i < side_loops_.size(); ++i) {
        side_faces_.push_back(
            std::make_unique<OperatorFace>("vwr", waiting_room_->door(i + 1), shown, standing_));
        TRY_PLAIN(side_loops_[i]->listen(settings_.text("URR_LISTEN"), port, *side_faces_.back()));
    }
    return {};
}

// An embedded store that takes no work has met a disk that failed: a restart alone mends it. A
// server comes back by itself.
bool System::store_has_stopped() const {
    if (on_postgres(settings_)) return false;
    return std::ranges::any_of(Stores::files(), [this](const Stores::File& file) {
        const auto& store = stores_.*file.store;
        return store && !store->healthy();
    });
}

void System::tell_health(const ServiceComponent& part) {
    const auto tell = [&](Level level, std::string_view what) {
        log_.write(level, what, {{"component", part.name()}});
    };
    if (part.healthy()) return tell(Level::info, "store_recovered");
    if (store_has_stopped()) return tell(Level::error, "store_failed");
    tell(Level::warning, "store_unavailable");
}

// Who balances moves away from what a restart alone mends; what has to end, ends.
void System::look_after_stores() {
    Standing ready = Standing::ready;
    if (store_has_stopped()) standing_.compare_exchange_strong(ready, Standing::stopped);
    for (const ServiceComponent* part : components_)
        if (must_end_.empty()) must_end_ = part->must_end();
    if (!must_end_.empty()) stop();
}

// What an operator must hear of.
Task<> System::watch() {
    std::vector<bool> was_healthy(components_.size(), true);
    bool clock_told = false;
    for (;;) {
        for (std::size_t i = 0; i < components_.size(); ++i) {
            const bool healthy = components_[i]->healthy();
            if (healthy != was_healthy[i]) tell_health(*components_[i]);
            was_healthy[i] = healthy;
        }
        look_after_stores();
        if (!clock_told && process_.clock_was_set_back()) {
            clock_told = true;
            log_.write(Level::error, "clock_was_set_back");
        }
        if (events_) co_await count_parked();
        (void)co_await sleep(Context{}, watch_interval);
    }
}

Task<> System::count_parked() {
    const auto parked = co_await events_->parked(Context{});
    if (!parked || *parked == process_.parked.value()) co_return;
    log_.write(*parked > process_.parked.value() ? Level::error : Level::info, "messages_parked",
               {{"count", *parked}});
    process_.parked.set(*parked);
}

// Who balances hears of it first; then nobody new comes, who is in gets an answer, and the parts
// hand over.
Task<> System::drain() {
    const Duration at_most = seconds(settings_.number("URR_DRAIN_SECONDS"));
    const Duration leaving = seconds(settings_.number("URR_LEAVE_SECONDS"));
    Nursery drains;
    for (Listener& listener : listeners_)
        drains.spawn(leave_and_drain(*listener.server, leaving, at_most));
    for (auto& side : side_loops_) drains.spawn(side->drain(leaving, at_most));
    (void)co_await drains.drained(Context{});
    Context handing_over;
    handing_over.deadline = loop_.now() + seconds(5);
    for (ServiceComponent* part : components_) co_await part->close(handing_over);
    jobs_.clear();
}

Task<Result<std::int64_t>> System::replay(std::string group, std::string topic) {
    for (ServiceComponent* part : components_) // to open the rooms is to take them from who serves
        if (part != waiting_room_.get()) TRY(co_await part->open(Context{}));
    ByTopic consumers;
    std::string known;
    for (ServiceComponent* part : components_)
        for (const Subscription& s : part->subscriptions()) {
            known += (known.empty() ? "" : ", ") + s.group + " of " + s.topic;
            if (s.group == group && (topic.empty() || s.topic == topic)) consumers.add(s);
        }
    if (consumers.empty())
        co_return fail(Code::NOT_FOUND, "no such group or topic; there are: " + known);
    co_return co_await events_->replay(Context{}, std::move(group), consumers);
}

} // namespace urr::app
