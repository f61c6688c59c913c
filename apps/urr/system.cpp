#include "apps/urr/system.hpp"

#include <cstring>

#include "apps/urr/keys.hpp"

namespace urr::app {

namespace {

constexpr std::string_view process_name = "urr"; // in leases: the same over restarts
constexpr Duration drain_max = seconds(10);

// The keys of those who may call `service`.
Result<CallerKeys> callers_of(const std::string& folder, std::string_view service,
                              std::initializer_list<std::string_view> callers) {
    CallerKeys keys;
    for (const std::string_view caller : callers)
        keys.emplace(caller, TRY_PLAIN(caller_key(folder, caller, service)));
    return keys;
}

} // namespace

Result<std::unique_ptr<System>> System::make(const Settings& settings, RunLoop& loop, Log& log) {
    std::unique_ptr<System> system(new System(settings, loop, log));
    TRY_PLAIN(system->build());
    return system;
}

System::System(const Settings& settings, RunLoop& loop, Log& log)
    : settings_(settings), loop_(loop), log_(log), folder_(settings.text("URR_DATA")) {}

Result<> System::build() {
    stores_ = TRY_PLAIN(Stores::open(folder_, clock_));
    events_ = make_table_log(*stores_.events);
    TRY_PLAIN(build_ticket());
    TRY_PLAIN(build_catalog());
    TRY_PLAIN(build_payment());
    TRY_PLAIN(build_waiting_room());
    TRY_PLAIN(build_queue());
    TRY_PLAIN(build_gateway());
    components_ = {ticket_.get(),       catalog_.get(), payment_.get(),
                   waiting_room_.get(), queue_.get(),   gateway_.get()};
    process_.components.assign(components_.begin(), components_.end());
    return {};
}

Result<> System::build_ticket() {
    ticket_ = std::make_unique<ticket::Component>(
        settings_, ticket::Needs{*stores_.ticket, *events_, clock_, random_, log_, revoked_,
                                 TRY_PLAIN(signing_key(folder_, TokenType::ticket)),
                                 TRY_PLAIN(callers_of(folder_, "ticket", {"gateway", "payment"})),
                                 std::string(process_name)});
    to_ticket_ = loopback(ticket_->face());
    return {};
}

Result<> System::build_catalog() {
    catalog_ = std::make_unique<catalog::Component>(
        settings_, catalog::Needs{*stores_.ticket, clock_, log_,
                                  TRY_PLAIN(callers_of(folder_, "catalog", {"gateway"}))});
    to_catalog_ = loopback(catalog_->face());
    return {};
}

Result<> System::build_payment() {
    payment_ = std::make_unique<payment::Component>(
        settings_,
        payment::Needs{
            *stores_.payment, *stores_.acquirer, *events_, clock_, random_, log_, *to_ticket_,
            CallerKey{"payment", TRY_PLAIN(caller_key(folder_, "payment", "ticket"))},
            TRY_PLAIN(callers_of(folder_, "payment", {"gateway"})), std::string(process_name)});
    to_payment_ = loopback(payment_->face());
    return {};
}

Result<> System::build_waiting_room() {
    waiting_room::Options options = TRY_PLAIN(waiting_room::read_options(settings_));
    const SecretKey receipts = TRY_PLAIN(secret_key(folder_, "receipt"));
    options.receipt_keys.current.number = 1;
    std::memcpy(&options.receipt_keys.current.secret, receipts.data(),
                sizeof options.receipt_keys.current.secret);
    options.token_key = TRY_PLAIN(signing_key(folder_, TokenType::vwr));
    options.callers = TRY_PLAIN(callers_of(folder_, "vwr", {"queue"}));
    waiting_room_ = std::make_unique<waiting_room::Component>(
        *stores_.waiting_room, std::vector<Loop*>{&loop_}, clock_, random_, std::move(options));
    to_waiting_room_ = loopback(waiting_room_->face());
    return {};
}

Result<> System::build_queue() {
    events_of_ticket_ = std::make_unique<EventsOfTicket>(ticket_->service(), clock_);
    PublicKeys waiting_room_tokens;
    waiting_room_tokens.add(TRY_PLAIN(signing_key(folder_, TokenType::vwr)));
    queue_ = std::make_unique<queue::Component>(
        settings_,
        queue::Needs{
            *stores_.queue, *events_, clock_, random_, log_, *events_of_ticket_, revoked_,
            *to_waiting_room_, CallerKey{"queue", TRY_PLAIN(caller_key(folder_, "queue", "vwr"))},
            TRY_PLAIN(signing_key(folder_, TokenType::entry)),
            TRY_PLAIN(signing_key(folder_, TokenType::place)), std::move(waiting_room_tokens),
            TRY_PLAIN(callers_of(folder_, "queue", {"gateway"})), std::string(process_name)});
    to_queue_ = loopback(queue_->face());
    return {};
}

Result<> System::build_gateway() {
    using gateway::Target;
    gateway::Needs needs{clock_, random_, log_, {}, {}, {}, {}, &waiting_room_->face()};
    needs.device_key = TRY_PLAIN(secret_key(folder_, "device"));
    needs.keys.add(TRY_PLAIN(signing_key(folder_, TokenType::access)));
    needs.keys.add(TRY_PLAIN(signing_key(folder_, TokenType::entry)));
    const std::pair<Target, Transport*> guarded[] = {{Target::ticket, to_ticket_.get()},
                                                     {Target::catalog, to_catalog_.get()},
                                                     {Target::payment, to_payment_.get()},
                                                     {Target::queue, to_queue_.get()}};
    for (const auto& [target, transport] : guarded) {
        needs.upstreams[std::size_t(target)] = transport;
        needs.caller_keys[std::size_t(target)] =
            TRY_PLAIN(caller_key(folder_, "gateway", gateway::target_name(target)));
    }
    needs.upstreams[std::size_t(Target::waiting_room)] = to_waiting_room_.get();
    gateway_ = TRY_PLAIN(gateway::Component::make(settings_, std::move(needs)));
    return {};
}

Task<Result<void>> System::open() {
    for (ServiceComponent* part : components_) TRY(co_await part->open(Context{}));
    for (ServiceComponent* part : components_) {
        part->start_jobs(jobs_);
        for (Subscription& s : part->subscriptions())
            jobs_.spawn(events_->deliver(std::move(s.topic), std::move(s.group), *s.consumer));
    }
    gateway_face_ = std::make_unique<OperatorFace>("urr", gateway_->face(), process_);
    waiting_room_face_ = std::make_unique<OperatorFace>("vwr", waiting_room_->face(), process_);
    const std::string& address = settings_.text("URR_LISTEN");
    const auto port = [this](std::string_view name) {
        return std::uint16_t(settings_.number(name));
    };
    gateway_server_ =
        TRY(listen_http(loop_, address, port("URR_PORT"), *gateway_face_, ServerLimits{}));
    waiting_room_server_ =
        TRY(listen_http(loop_, address, port("URR_VWR_PORT"), *waiting_room_face_, ServerLimits{}));
    process_.ready = true;
    std::printf("urr: ready on http://%s:%u (waiting room alone: %u)\n", address.c_str(),
                unsigned(gateway_server_->port()), unsigned(waiting_room_server_->port()));
    std::fflush(stdout);
    co_return Result<void>{};
}

// Nobody new comes, who is in gets an answer, then the parts hand over.
Task<> System::drain() {
    Context until;
    until.deadline = loop_.now() + drain_max;
    co_await gateway_server_->drain(until);
    co_await waiting_room_server_->drain(until);
    for (ServiceComponent* part : components_) co_await part->close(until);
    jobs_.clear();
}

Task<Result<void>> System::run() {
    TRY(co_await open());
    log_.write(Level::info, "started", {{"port", gateway_server_->port()}});
    (void)co_await stopping_.wait(Context{});
    process_.ready = false;
    log_.write(Level::info, "draining");
    co_await drain();
    log_.write(Level::info, "stopped");
    co_return Result<void>{};
}

} // namespace urr::app
