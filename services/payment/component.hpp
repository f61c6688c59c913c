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
#include "services/payment/http/routes.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/tickets_client.hpp"

namespace urr::payment {

inline constexpr std::span<const SettingRow> settings; // none yet

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
    std::string holder;   // this process, in leases
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "payment"; }
    HttpHandler& face() { return face_; }
    const Router* router() const override { return &face_.router(); }

    // Settles what an earlier process left open: nothing else is under way yet.
    Task<Result<void>> open(Context context) override;
    void start_jobs(Nursery& jobs) override;
    std::vector<Subscription> subscriptions() override;
    void append_metrics(MetricsText& out) const override;
    bool healthy() const override { return database_.healthy() && acquirer_database_.healthy(); }

private:
    Database& database_;
    Database& acquirer_database_;
    Log& log_;
    std::unique_ptr<Acquirer> acquirer_;
    std::unique_ptr<Tickets> tickets_;
    Service service_;
    Routes routes_;
    GuardedService face_;
    Relay relay_;
};

} // namespace urr::payment
