#include "apps/urr/system.hpp"

#include <unistd.h>

#include <cstring>

#include "apps/urr/event_log.hpp"
#include "apps/urr/role_keys.hpp"
#include "apps/urr/settings_check.hpp"

namespace urr::app {

namespace {

constexpr std::size_t mails_under_way_max = 64;

// A copy's name in leases. On embedded stores, whose files only one process has open at a time, the
// next process is the same one restarted and need not wait for the leases of the one before.
std::string instance_of(const Settings& settings) {
    const std::string& given = settings.text("URR_INSTANCE");
    if (!given.empty() || !on_postgres(settings)) return given.empty() ? "embedded" : given;
    char host[256] = "";
    ::gethostname(host, sizeof host - 1); // others work on the same leases
    return std::string(host) + "-" + std::to_string(::getpid());
}

} // namespace

Result<std::unique_ptr<System>> System::make(const Settings& settings, const Roles& roles,
                                             RunLoop& loop, Log& log) {
    std::unique_ptr<System> system(new System(settings, roles, loop, log));
    TRY_PLAIN(system->build());
    return system;
}

System::System(const Settings& settings, const Roles& roles, RunLoop& loop, Log& log)
    : settings_(settings), roles_(roles), role_(roles.text()), loop_(loop), log_(log),
      folder_(settings.text("URR_DATA")), instance_(instance_of(settings)) {}

Result<> System::build() {
    TRY_PLAIN(check_settings(settings_, roles_));
    TRY_PLAIN(check_event_log(settings_, roles_, clock_, log_));
    Roles with_stores = roles_;
    if (uses_dynamodb(settings_)) with_stores.waiting_room = false;
    stores_ = TRY_PLAIN(
        Stores::open({settings_, clock_, random_, loop_, &log_}, with_stores, Schema::as_it_is));
    process_.watch(loop_);
    for (const Stores::File& file : Stores::files())
        if (const auto& store = stores_.*file.store) process_.watch(file.label, *store);
    redis_ = TRY_PLAIN(RedisPart::make(settings_, loop_, random_, clock_, log_, revoked_));
    TRY_PLAIN(reach_those_apart());
    if (roles_.waiting_room) TRY_PLAIN(build_waiting_room());
    if (roles_.any_with_events())
        events_ = TRY_PLAIN(open_event_log(settings_, stores_, clock_, log_));
    process_.watch(events_.get());
    if (roles_.ticket || roles_.queue || roles_.worker)
        works_ = TRY_PLAIN(Works::make({settings_, loop_, clock_, random_, stores_.works.get()}));
    if (roles_.auth) TRY_PLAIN(build_auth());
    if (roles_.ticket) TRY_PLAIN(build_ticket());
    if (roles_.catalog) TRY_PLAIN(build_catalog());
    if (roles_.payment) TRY_PLAIN(build_payment());
    if (roles_.queue) TRY_PLAIN(build_queue());
    if (roles_.gateway) TRY_PLAIN(build_gateway());
    if (roles_.worker) TRY_PLAIN(build_worker());
    for (ServiceComponent* part : std::initializer_list<ServiceComponent*>{
             &process_, redis_.get(), auth_.get(), ticket_.get(), catalog_.get(), payment_.get(),
             waiting_room_.get(), queue_.get(), gateway_.get(), worker_.get()})
        if (part) components_.push_back(part);
    return {};
}

// What runs here is reached by loopback once it is built; what runs apart, and only what a role of
// this process may call, by sockets.
Result<> System::reach_those_apart() {
    const auto reach = [this](std::unique_ptr<Transport>& to, bool is_here, bool is_called,
                              std::string_view setting) -> Result<> {
        if (!is_here && is_called) to = TRY_PLAIN(connect(loop_, settings_, setting));
        return {};
    };
    const Roles& r = roles_;
    TRY_PLAIN(reach(to_.auth, r.auth, r.gateway, "URR_UPSTREAM_AUTH"));
    TRY_PLAIN(reach(to_.ticket, r.ticket, r.gateway || r.payment, "URR_UPSTREAM_TICKET"));
    TRY_PLAIN(reach(to_.catalog, r.catalog, r.gateway || r.queue, "URR_UPSTREAM_CATALOG"));
    TRY_PLAIN(reach(to_.payment, r.payment, r.gateway, "URR_UPSTREAM_PAYMENT"));
    TRY_PLAIN(reach(to_.queue, r.queue, r.gateway, "URR_UPSTREAM_QUEUE"));
    return reach(to_.waiting_room, r.waiting_room, r.gateway || r.queue, "URR_UPSTREAM_VWR");
}

Result<> System::build_auth() {
    const RoleKeys keys(folder_, "auth");
    password_pool_ = make_thread_offload(unsigned(settings_.number("URR_PASSWORD_THREADS")),
                                         std::size_t(settings_.number("URR_PASSWORD_QUEUE")));
    mail_files_ = make_thread_offload(1, mails_under_way_max);
    const std::string& given = settings_.text("URR_MAIL_FOLDER");
    mails_ =
        auth::make_folder_carrier(*mail_files_, given.empty() ? folder_ + "/mail/outbox" : given,
                                  settings_.text("URR_MAIL_FROM"));
    auth_ = std::make_unique<auth::Component>(
        settings_, auth::Needs{*stores_.auth, clock_, random_, log_, *password_pool_, *mails_,
                               revoked_.sessions, TRY_PLAIN(keys.signing(TokenType::access)),
                               TRY_PLAIN(keys.verifying()), TRY_PLAIN(keys.hmac("auth-tokens")),
                               TRY_PLAIN(keys.callers()), redis_ ? &redis_->client() : nullptr});
    to_.auth = loopback(auth_->face());
    return {};
}

Result<> System::build_ticket() {
    const RoleKeys keys(folder_, "ticket");
    files_ = TRY_PLAIN(FilesPart::make(settings_, loop_, clock_, random_));
    ticket_ = std::make_unique<ticket::Component>(
        settings_, ticket::Needs{*stores_.ticket, *events_, clock_, random_, log_, revoked_.entries,
                                 TRY_PLAIN(keys.signing(TokenType::ticket)),
                                 TRY_PLAIN(keys.callers()), instance_, !on_postgres(settings_),
                                 evidence_to(), redis_ ? &redis_->client() : nullptr,
                                 files_ ? files_->posters() : ticket::PosterFiles{}});
    to_.ticket = loopback(ticket_->face());
    return {};
}

Result<> System::build_catalog() {
    const RoleKeys keys(folder_, "catalog");
    catalog_ = std::make_unique<catalog::Component>(
        settings_, catalog::Needs{stores_.for_catalog(), clock_, log_, TRY_PLAIN(keys.callers())});
    to_.catalog = loopback(catalog_->face());
    return {};
}

Result<> System::build_payment() {
    const RoleKeys keys(folder_, "payment");
    payment_ = std::make_unique<payment::Component>(
        settings_,
        payment::Needs{*stores_.payment, *stores_.acquirer, *events_, clock_, random_, log_,
                       *to_.ticket, TRY_PLAIN(keys.to("ticket")), TRY_PLAIN(keys.callers()),
                       TRY_PLAIN(keys.hmac("payment-bodies")), instance_, !on_postgres(settings_)});
    to_.payment = loopback(payment_->face());
    return {};
}

Result<> System::build_waiting_room() {
    const RoleKeys keys(folder_, "vwr");
    waiting_room::Options options = TRY_PLAIN(waiting_room::read_options(settings_));
    const SecretKey receipts = TRY_PLAIN(keys.secret("receipt"));
    options.receipt_keys.current.number = 1;
    std::memcpy(&options.receipt_keys.current.secret, receipts.data(),
                sizeof options.receipt_keys.current.secret);
    options.token_key = TRY_PLAIN(keys.signing(TokenType::vwr));
    options.callers = TRY_PLAIN(keys.callers());
    std::vector<Loop*> loops{&loop_};
    for (std::int64_t more = settings_.number("URR_LOOPS") - 1; more > 0; --more) {
        side_loops_.push_back(std::make_unique<SideLoop>());
        loops.push_back(&side_loops_.back()->loop());
        process_.watch(side_loops_.back()->loop());
    }
    if (uses_dynamodb(settings_)) {
        dynamodb_ = TRY_PLAIN(open_dynamodb(settings_, loop_, clock_, random_));
        waiting_room_ = std::make_unique<waiting_room::Component>(
            waiting_room::make_dynamodb_common_store(dynamodb_->client(),
                                                     dynamodb_tables(settings_), clock_),
            std::move(loops), clock_, random_, std::move(options));
    } else {
        if (on_postgres(settings_)) options.sole_holder = instance_;
        waiting_room_ = std::make_unique<waiting_room::Component>(
            *stores_.waiting_room, std::move(loops), clock_, random_, std::move(options));
    }
    to_.waiting_room = loopback(waiting_room_->face());
    return {};
}

Result<> System::build_queue() {
    const RoleKeys keys(folder_, "queue");
    queue_ = std::make_unique<queue::Component>(
        settings_,
        queue::Needs{*stores_.queue, *events_, clock_, random_, log_, *to_.catalog,
                     TRY_PLAIN(keys.to("catalog")), revoked_.entries, *to_.waiting_room,
                     TRY_PLAIN(keys.to("vwr")), TRY_PLAIN(keys.signing(TokenType::entry)),
                     TRY_PLAIN(keys.signing(TokenType::place)), TRY_PLAIN(keys.verifying()),
                     TRY_PLAIN(keys.callers()), instance_, redis_ ? &redis_->client() : nullptr,
                     evidence_to(), on_postgres(settings_)});
    to_.queue = loopback(queue_->face());
    return {};
}

EvidenceTo System::evidence_to() const {
    return {works_ ? &works_->to_send() : nullptr,
            hours(settings_.number("URR_EVIDENCE_KEPT_HOURS"))};
}

Result<> System::build_worker() {
    if (!stores_.evidence)
        return fail(Code::UNAVAILABLE, "the worker needs URR_EVIDENCE_DATABASE_URL");
    worker_ = std::make_unique<worker::Component>(
        settings_, worker::Needs{*stores_.evidence, works_->to_receive(), log_});
    return {};
}

Result<> System::build_gateway() {
    using gateway::Target;
    const RoleKeys keys(folder_, "gateway");
    gateway::Needs needs{clock_, random_, log_, revoked_.sessions, {}, {}, {}};
    needs.runs_apart = !roles_.all_services();
    needs.device_key = TRY_PLAIN(keys.secret("device"));
    needs.keys = TRY_PLAIN(keys.verifying());
    const std::pair<Target, Transport*> guarded[] = {{Target::auth, to_.auth.get()},
                                                     {Target::ticket, to_.ticket.get()},
                                                     {Target::catalog, to_.catalog.get()},
                                                     {Target::payment, to_.payment.get()},
                                                     {Target::queue, to_.queue.get()}};
    for (const auto& [target, transport] : guarded) {
        needs.upstreams[std::size_t(target)] = transport;
        needs.caller_keys[std::size_t(target)] =
            TRY_PLAIN(keys.to(gateway::target_name(target))).key;
    }
    needs.upstreams[std::size_t(Target::waiting_room)] = to_.waiting_room.get();
    if (waiting_room_) needs.waiting_room_door = &waiting_room_->face();
    if (redis_) needs.redis = &redis_->client();
    gateway_ = TRY_PLAIN(gateway::Component::make(settings_, std::move(needs)));
    return {};
}

} // namespace urr::app
