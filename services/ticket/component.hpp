// ticket as a part of the program: what it needs, what it hands out.
//
//     ticket::Component tickets(settings, {database, events, clock, …});
//     loopback(tickets.face());              // or listen_http(…, tickets.face(), …)
//
// `migrate(database, migrations)` comes first. One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/evidence/publisher.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/settings.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/telemetry/log.hpp"
#include "services/ticket/http/admin_routes.hpp"
#include "services/ticket/http/poster_routes.hpp"
#include "services/ticket/http/routes.hpp"
#include "services/ticket/shared_seat_locks.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr::ticket {

inline constexpr SettingRow settings[] = {
    {"URR_HOLD_SECONDS", Kind::number, "300",
     "how long a seat is held for payment, where its event does not say", 1, 86'400},
    {"URR_HOLD_AFTER_DECLINE_SECONDS", Kind::number, "60",
     "how long a hold goes on at least after a declined card", 1, 3'600},
    {"URR_DECLINES_MAX", Kind::number, "2", "declined cards that a reservation survives", 0, 10},
    {"URR_LAPSES_MAX", Kind::number, "3",
     "holds that an account lets lapse for an event before it is paused", 1, 100},
    {"URR_PAUSE_SECONDS", Kind::number, "1800", "how long such an account is paused", 1, 86'400},
    {"URR_SEAT_LOCKS", Kind::yes_no, "yes",
     "refuse holds of seats that are known to be taken without asking the store"},
};

struct Needs {
    Database& database;
    EventLog& events;
    const Clock& clock;
    Random& random;
    Log& log;
    const RevokedEntries& revoked;
    SigningKey ticket_key;  // TokenType::ticket
    CallerKeys callers;     // gateway, payment
    std::string holder;     // this process, in leases
    bool is_alone = true;   // no other process writes to the store
    EvidenceTo evidence;    // what it tells the ledger; nowhere: there is none
    Redis* redis = nullptr; // for locks that several processes share
    PosterFiles files;      // nowhere: posters are off
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "ticket"; }
    HttpHandler& face() { return face_; }
    const Router* router() const override { return &face_.router(); }

    Task<Result<void>> open(Context context) override { return service_.open(context); }
    void start_jobs(Nursery& jobs) override;
    std::vector<Subscription> subscriptions() override;
    Task<> close(Context context) override;
    void append_metrics(MetricsText& out) const override;
    bool healthy() const override { return database_.healthy(); }

private:
    Database& database_;
    Duty sweeper_;
    std::unique_ptr<SharedSeatLocks> shared_locks_; // or
    std::unique_ptr<SeatLocks> own_locks_;          // or none
    SeatLocks* locks() const { return shared_locks_ ? shared_locks_.get() : own_locks_.get(); }
    Service service_;
    Routes routes_;
    AdminRoutes admin_routes_;
    Posters posters_;
    PosterRoutes poster_routes_;
    GuardedService face_;
    Relay relay_;
    std::unique_ptr<EvidencePublisher> publisher_; // nullptr: there is no ledger
};

} // namespace urr::ticket
