// payment as a part of the program: what it needs, what it hands out.
//
//     payment::Component payments(settings, {database, acquirer_database, events, …, to_ticket,
//     …});
//
// `migrate(database, migrations)` and `migrate(acquirer_database, acquirer_migrations)` come first.
// One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/settings.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/telemetry/log.hpp"
#include "services/payment/callbacks.hpp"
#include "services/payment/http/routes.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/tickets_client.hpp"

namespace urr::payment {

inline constexpr SettingRow settings[] = {
    {"URR_RECONCILE_SECONDS", Kind::number, "5",
     "how often unknown outcomes are asked for at the provider", 1, 3'600},
    {"URR_RECONCILE_AFTER_SECONDS", Kind::number, "20",
     "how old an attempt must be for that: longer than any request may take", 1, 3'600},
    {"URR_PAYMENT_ALARM_SECONDS", Kind::number, "900",
     "after how long an unknown outcome is an alarm", 1, 86'400},
    {"URR_SANDBOX_SECRET", Kind::secret, "",
     "what the sandbox signs its callbacks with; empty: drawn at each start"},
};

struct Needs {
    Database& database;
    Database& acquirer_database; // the sandbox's own
    EventLog& events;
    const Clock& clock;
    Random& random;
    Log& log;
    Transport& ticket;
    CallerKey ticket_key; // payment's key for ticket
    CallerKeys callers;   // gateway
    HmacKey body_key;     // for what is kept of confirm's body
    std::string holder;   // this process, in leases
    bool is_alone = true; // no other process has these stores open
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "payment"; }
    HttpHandler& face() { return face_; }
    const Router* router() const override { return &face_.router(); }

    // Alone on its stores it settles what an earlier process left open: nothing else is under way
    // yet. Beside others that waits until it is old enough.
    Task<Result<void>> open(Context context) override;
    void start_jobs(Nursery& jobs) override;
    std::vector<Subscription> subscriptions() override;
    Task<> close(Context context) override;
    void append_metrics(MetricsText& out) const override;
    bool healthy() const override { return database_.healthy() && acquirer_database_.healthy(); }

private:
    Database& database_;
    Database& acquirer_database_;
    Log& log_;
    const HmacKey sandbox_secret_;
    const CallerKey sandbox_caller_; // the sandbox comes in by the same door as all others
    const bool is_alone_;
    Duty settler_, sandbox_;
    std::unique_ptr<SandboxAcquirer> acquirer_;
    std::unique_ptr<Tickets> tickets_;
    Service service_;
    Routes routes_;
    Webhooks webhooks_;
    GuardedService face_;
    std::unique_ptr<Transport> to_face_;
    SignedCallbacks callbacks_;
    Relay relay_;
};

} // namespace urr::payment
