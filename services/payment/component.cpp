#include "services/payment/component.hpp"

#include "libs/contract/events.hpp"
#include "libs/http/client.hpp"

namespace urr::payment {

namespace {

HmacKey drawn_key(Random& random) {
    std::array<unsigned char, 32> bytes{};
    random.fill(bytes);
    return HmacKey(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

HmacKey sandbox_secret(const Settings& given, Random& random) {
    const std::string& text = given.text("URR_SANDBOX_SECRET");
    return text.empty() ? drawn_key(random) : HmacKey(text);
}

CallerKeys with(CallerKeys callers, const CallerKey& sandbox) {
    callers.emplace(sandbox.caller, sandbox.key);
    return callers;
}

Parts parts_of(const Settings& given, const Needs& needs, Acquirer& acquirer, Tickets& tickets,
               Duty& settler) {
    return {.database = needs.database,
            .clock = needs.clock,
            .random = needs.random,
            .acquirer = acquirer,
            .tickets = tickets,
            .reconcile_after = seconds(given.number("URR_RECONCILE_AFTER_SECONDS")),
            .reconcile_interval = seconds(given.number("URR_RECONCILE_SECONDS")),
            .alarm_after = seconds(given.number("URR_PAYMENT_ALARM_SECONDS")),
            .log = &needs.log,
            .settler = &settler};
}

} // namespace

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database), acquirer_database_(needs.acquirer_database), log_(needs.log),
      sandbox_secret_(sandbox_secret(given, needs.random)),
      sandbox_caller_{"sandbox", drawn_key(needs.random)}, is_alone_(needs.is_alone),
      settler_(needs.database, "settle", needs.holder),
      sandbox_(needs.database, "sandbox", needs.holder),
      acquirer_(make_sandbox_acquirer(needs.acquirer_database)),
      tickets_(make_tickets_client(needs.ticket, std::move(needs.ticket_key), needs.clock)),
      service_(parts_of(given, needs, *acquirer_, *tickets_, settler_)),
      routes_(service_, needs.body_key), webhooks_(service_, sandbox_secret_, needs.clock),
      face_("payment", with(std::move(needs.callers), sandbox_caller_), {}, needs.clock),
      to_face_(loopback(face_)),
      callbacks_(*to_face_, sandbox_caller_, sandbox_secret_, needs.clock),
      relay_(needs.database, needs.events, std::move(needs.holder), milliseconds(5), &needs.log) {
    routes_.add_to(face_.router());
    webhooks_.add_to(face_.router());
}

Task<Result<void>> Component::open(Context context) {
    if (!is_alone_) co_return Result<void>{};
    const auto settled = co_await service_.reconcile(context, Duration{});
    if (!settled)
        log_.write(Level::warning, "reconcile_failed", {{"error", settled.error().text()}});
    co_return Result<void>{};
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(relay_.run());
    jobs.spawn(service_.run_jobs());
    jobs.spawn(acquirer_->run(callbacks_, &sandbox_));
}

std::vector<Subscription> Component::subscriptions() {
    return {{std::string(topic_payment), "payment", &service_}};
}

Task<> Component::close(Context) {
    co_await settler_.give_up();
    co_await sandbox_.give_up();
    co_await relay_.hand_over();
}

void Component::append_metrics(MetricsText& out) const {
    service_.metrics().append(out, face_.answers());
    relay_.write(out, "urr_payment");
}

} // namespace urr::payment
