#include "apps/urr/system.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "apps/urr/keys.hpp"
#include "services/queue/store/members.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr::app {

namespace {

Result<std::unique_ptr<SqliteDatabase>> open_one(const std::string& folder, const char* name,
                                                 const Clock& clock,
                                                 std::span<const Migration> migrations) {
    SqliteOptions options;
    options.path = folder + "/" + name + ".db";
    options.clock = &clock;
    auto database = TRY_PLAIN(open_sqlite(options));
    TRY_PLAIN(migrate(*database, migrations));
    return database;
}

} // namespace

Result<Stores> Stores::open(const std::string& folder, const Clock& clock) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Code::UNAVAILABLE,
                    "cannot make the folder " + folder + ": " + std::strerror(errno));
    Stores s;
    s.ticket = TRY_PLAIN(open_one(folder, "ticket", clock, ticket::migrations));
    s.payment = TRY_PLAIN(open_one(folder, "payment", clock, payment::migrations));
    s.acquirer = TRY_PLAIN(open_one(folder, "acquirer", clock, payment::acquirer_migrations));
    s.queue = TRY_PLAIN(open_one(folder, "queue", clock, queue::migrations));
    s.waiting_room = TRY_PLAIN(open_one(folder, "vwr", clock, waiting_room::migrations()));
    s.events = TRY_PLAIN(open_one(folder, "events", clock, event_log_migrations));
    return s;
}

std::optional<queue::EventFacts> EventsOfTicket::find(const EventId& event) const {
    const ticket::SeatMap* map = service_.find(event);
    if (!map) return std::nullopt;
    const ticket::Event& e = map->event();
    const Instant now = clock_.now();
    return queue::EventFacts{e.room, e.published, now >= e.sale_start && now < e.sale_end,
                             map->stock().free, map->stock().under_way};
}

std::vector<EventId> EventsOfTicket::published() const {
    std::vector<EventId> ids;
    for (const auto& [id, map] : service_.events())
        if (map->event().published) ids.push_back(id);
    return ids;
}

// What the gateway's port answers besides the gateway: the operator's paths.
class System::Face final : public HttpHandler {
public:
    explicit Face(System& system) : system_(system) {}
    bool answer_at_once(const Request& request, std::string& out) override {
        return system_.gateway_->answer_at_once(request, out);
    }
    Task<Response> handle(Context context, Request request) override {
        if (request.path == "/health" || request.path == "/actuator/health/readiness")
            co_return co_await system_.health(context);
        if (request.path == "/actuator/health/liveness")
            co_return json_response(200, R"({"status":"ok"})");
        co_return co_await system_.gateway_->handle(context, request);
    }

private:
    System& system_;
};

Result<std::unique_ptr<System>> System::make(const Settings& settings, RunLoop& loop) {
    static const SystemClock clock;
    Stores stores = TRY_PLAIN(Stores::open(settings.text("URR_DATA"), clock));
    std::unique_ptr<System> system(new System(loop, std::move(stores)));
    TRY_PLAIN(system->build(settings));
    return system;
}

System::~System() {
    jobs_.clear();
    server_.reset();
    room_server_.reset();
    ticket_relay_.reset();
    payment_relay_.reset();
    queue_relay_.reset();
    // The stores while the loop is still there: it takes their last answers.
    stores_ = Stores{};
}

Result<> System::build(const Settings& settings) {
    folder_ = settings.text("URR_DATA");
    listen_ = settings.text("URR_LISTEN");
    port_ = std::uint16_t(settings.number("URR_PORT"));
    room_port_ = std::uint16_t(settings.number("URR_VWR_PORT"));
    log_ = make_table_log(*stores_.events);
    ticket_relay_ = std::make_unique<Relay>(*stores_.ticket, *log_, "urr", milliseconds(5));
    payment_relay_ = std::make_unique<Relay>(*stores_.payment, *log_, "urr", milliseconds(5));
    queue_relay_ = std::make_unique<Relay>(*stores_.queue, *log_, "urr", milliseconds(50));
    TRY_PLAIN(build_ticket(settings));
    TRY_PLAIN(build_catalog());
    TRY_PLAIN(build_payment(settings));
    TRY_PLAIN(build_waiting_room(settings));
    TRY_PLAIN(build_queue(settings));
    return build_gateway(settings);
}

Result<> System::build_ticket(const Settings& settings) {
    ticket::Rules rules;
    rules.hold = seconds(settings.number("URR_HOLD_SECONDS"));
    tickets_ = std::make_unique<ticket::Service>(
        ticket::Parts{*stores_.ticket, clock_, random_, revoked_,
                      TRY_PLAIN(signing_key(folder_, TokenType::ticket)), rules});
    ticket_routes_ = std::make_unique<ticket::Routes>(*tickets_);
    CallerKeys callers;
    callers.emplace("gateway", TRY_PLAIN(caller_key(folder_, "gateway", "ticket")));
    callers.emplace("payment", TRY_PLAIN(caller_key(folder_, "payment", "ticket")));
    ticket_face_ = std::make_unique<GuardedService>(
        "ticket", std::move(callers), std::set<std::string, std::less<>>{"payment"}, clock_);
    ticket_routes_->add_to(ticket_face_->router());
    to_ticket_ = loopback(*ticket_face_);
    return {};
}

Result<> System::build_catalog() {
    catalog_ = std::make_unique<catalog::Catalog>(*stores_.ticket, clock_);
    CallerKeys callers;
    callers.emplace("gateway", TRY_PLAIN(caller_key(folder_, "gateway", "catalog")));
    catalog_face_ = std::make_unique<GuardedService>("catalog", std::move(callers),
                                                     std::set<std::string, std::less<>>{}, clock_);
    catalog_->add_to(catalog_face_->router());
    to_catalog_ = loopback(*catalog_face_);
    return {};
}

Result<> System::build_payment(const Settings&) {
    acquirer_ = payment::make_sandbox_acquirer(*stores_.acquirer);
    tickets_client_ = payment::make_tickets_client(
        *to_ticket_, CallerKey{"payment", TRY_PLAIN(caller_key(folder_, "payment", "ticket"))},
        clock_);
    payments_ = std::make_unique<payment::Service>(
        payment::Parts{*stores_.payment, clock_, random_, *acquirer_, *tickets_client_});
    payment_routes_ = std::make_unique<payment::Routes>(*payments_);
    CallerKeys callers;
    callers.emplace("gateway", TRY_PLAIN(caller_key(folder_, "gateway", "payment")));
    payment_face_ = std::make_unique<GuardedService>("payment", std::move(callers),
                                                     std::set<std::string, std::less<>>{}, clock_);
    payment_routes_->add_to(payment_face_->router());
    to_payment_ = loopback(*payment_face_);
    return {};
}

Result<> System::build_waiting_room(const Settings& settings) {
    waiting_room::Settings room;
    room.rate.adaptive = settings.yes("URR_RATE_ADAPTIVE");
    room.rate.base_per_minute = std::uint32_t(settings.number("URR_RATE_PER_MINUTE"));
    room.door.secure_cookies = settings.yes("URR_SECURE_COOKIES");
    room.door.assign_limit.burst = std::uint32_t(settings.number("URR_ASSIGN_BURST"));
    room.door.assign_limit.per_second = std::uint32_t(settings.number("URR_ASSIGN_PER_SECOND"));
    for (const std::string& network : settings.list("URR_TRUSTED_PROXIES"))
        if (!room.door.trusted.add(network))
            return fail(Code::UNAVAILABLE, "URR_TRUSTED_PROXIES: not a network: " + network);
    const SecretKey receipts = TRY_PLAIN(secret_key(folder_, "receipt"));
    room.receipt_keys.current.number = 1;
    std::memcpy(&room.receipt_keys.current.secret, receipts.data(),
                sizeof room.receipt_keys.current.secret);
    room.token_key = TRY_PLAIN(signing_key(folder_, TokenType::vwr));
    room.callers.emplace("queue", TRY_PLAIN(caller_key(folder_, "queue", "vwr")));
    rooms_ = std::make_unique<waiting_room::Component>(
        *stores_.waiting_room, std::vector<Loop*>{&loop_}, clock_, random_, std::move(room));
    to_room_ = loopback(rooms_->door(0));
    return {};
}

Result<> System::build_queue(const Settings& settings) {
    events_ = std::make_unique<EventsOfTicket>(*tickets_, clock_);
    PublicKeys room_keys;
    room_keys.add(TRY_PLAIN(signing_key(folder_, TokenType::vwr)));
    queue::Rules rules;
    rules.threshold = settings.number("URR_THRESHOLD");
    queue_ = std::make_unique<queue::Service>(
        queue::Parts{*stores_.queue, clock_, random_, *events_, revoked_, *to_room_,
                     CallerKey{"queue", TRY_PLAIN(caller_key(folder_, "queue", "vwr"))},
                     TRY_PLAIN(signing_key(folder_, TokenType::entry)),
                     TRY_PLAIN(signing_key(folder_, TokenType::place)), std::move(room_keys), rules,
                     settings.number("URR_ADMITTED_PER_SECOND")});
    queue_routes_ = std::make_unique<queue::Routes>(*queue_);
    CallerKeys callers;
    callers.emplace("gateway", TRY_PLAIN(caller_key(folder_, "gateway", "queue")));
    queue_face_ = std::make_unique<GuardedService>("queue", std::move(callers),
                                                   std::set<std::string, std::less<>>{}, clock_);
    queue_routes_->add_to(queue_face_->router());
    to_queue_ = loopback(*queue_face_);
    return {};
}

Result<> System::build_gateway(const Settings& settings) {
    using gateway::Target;
    gateway::Settings gate;
    gate.keys.add(TRY_PLAIN(signing_key(folder_, TokenType::access)));
    gate.keys.add(TRY_PLAIN(signing_key(folder_, TokenType::entry)));
    gate.trusted = TRY_PLAIN(TrustedProxies::parse(settings.text("URR_TRUSTED_PROXIES")));
    for (std::string& origin : settings.list("URR_ORIGINS")) gate.origins.insert(std::move(origin));
    gate.limits.auth = settings.number("URR_LIMIT_AUTH");
    gate.limits.queue = settings.number("URR_LIMIT_QUEUE");
    gate.limits.booking = settings.number("URR_LIMIT_BOOKING");
    gate.limits.general = settings.number("URR_LIMIT_GENERAL");
    std::array<Transport*, gateway::targets> upstreams{};
    const std::pair<Target, Transport*> guarded[] = {{Target::ticket, to_ticket_.get()},
                                                     {Target::catalog, to_catalog_.get()},
                                                     {Target::payment, to_payment_.get()},
                                                     {Target::queue, to_queue_.get()}};
    for (const auto& [target, transport] : guarded) {
        upstreams[std::size_t(target)] = transport;
        gate.caller_keys[std::size_t(target)] =
            TRY_PLAIN(caller_key(folder_, "gateway", gateway::target_name(target)));
    }
    upstreams[std::size_t(Target::waiting_room)] = to_room_.get();
    gateway_ =
        std::make_unique<gateway::Gateway>(std::move(gate), clock_, upstreams, &rooms_->door(0));
    face_ = std::make_unique<Face>(*this);
    return {};
}

Task<Response> System::health(Context) {
    const std::pair<const char*, bool> parts[] = {{"ticket", stores_.ticket->healthy()},
                                                  {"payment", stores_.payment->healthy()},
                                                  {"queue", stores_.queue->healthy()},
                                                  {"vwr", rooms_->healthy()},
                                                  {"events", stores_.events->healthy()}};
    bool ok = !stopping_.is_open();
    std::string list;
    for (const auto& [name, healthy] : parts) {
        ok = ok && healthy;
        list += (list.empty() ? "\"" : ",\"") + std::string(name) + "\":\"" +
                (healthy ? "ok" : "down") + "\"";
    }
    co_return json_response(ok ? 200 : 503, std::string("{\"service\":\"urr\",\"status\":\"") +
                                                (ok ? "ok" : "degraded") + "\",\"dependencies\":{" +
                                                list + "}}");
}

void System::start_jobs() {
    jobs_.spawn(ticket_relay_->run());
    jobs_.spawn(payment_relay_->run());
    jobs_.spawn(queue_relay_->run());
    jobs_.spawn(log_->deliver(std::string(topic_payment), "payment", *payments_));
    jobs_.spawn(log_->deliver(std::string(topic_reservation), "ticket", *tickets_));
    jobs_.spawn(tickets_->run_jobs());
    jobs_.spawn(payments_->run_jobs());
    jobs_.spawn(rooms_->run());
    jobs_.spawn(queue_->run_jobs());
}

Task<Result<void>> System::run() {
    TRY(co_await tickets_->open(Context{}));
    TRY(co_await rooms_->open(Context{}));
    TRY(co_await queue_->open(Context{}));
    // Nothing is under way yet: what an earlier process left open is settled now.
    (void)co_await payments_->reconcile(Context{}, Duration{});
    start_jobs();
    server_ = TRY(listen_http(loop_, listen_, port_, *face_, ServerLimits{}));
    room_server_ = TRY(listen_http(loop_, listen_, room_port_, rooms_->door(0), ServerLimits{}));
    std::printf("urr: ready on http://%s:%u (waiting room alone: %u)\n", listen_.c_str(),
                unsigned(server_->port()), unsigned(room_server_->port()));
    std::fflush(stdout);
    (void)co_await stopping_.wait(Context{});
    Context drain;
    drain.deadline = loop_.now() + seconds(10);
    co_await server_->drain(drain);
    co_await room_server_->drain(drain);
    rooms_->stop();
    jobs_.clear();
    co_return Result<void>{};
}

} // namespace urr::app
