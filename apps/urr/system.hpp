// Everything in one process on embedded engines: stores, services, gateway, waiting room, on one
// loop; the stores' writers have threads of their own. The services reach each other by loopback
// with the same assertions as over sockets.
#pragma once
#include <memory>

#include "apps/urr/settings.hpp"
#include "libs/async/nursery.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/http/client.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "services/catalog/catalog.hpp"
#include "services/gateway/gateway.hpp"
#include "services/payment/http/routes.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/tickets_client.hpp"
#include "services/queue/http/routes.hpp"
#include "services/ticket/http/routes.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::app {

// The stores of an installation, opened and migrated.
struct Stores {
    std::unique_ptr<SqliteDatabase> ticket, payment, acquirer, queue, waiting_room, events;
    static Result<Stores> open(const std::string& folder, const Clock& clock);
};

// What queue sees of events: ticket's maps in the same process.
class EventsOfTicket final : public queue::Events {
public:
    EventsOfTicket(const ticket::Service& service, const Clock& clock)
        : service_(service), clock_(clock) {}
    std::optional<queue::EventFacts> find(const EventId& event) const override;
    std::vector<EventId> published() const override;

private:
    const ticket::Service& service_;
    const Clock& clock_;
};

class System {
public:
    // UNAVAILABLE with a text for the operator: keys, stores, ports.
    static Result<std::unique_ptr<System>> make(const Settings& settings, RunLoop& loop);
    ~System();

    // Loads, listens and works until stop() is called on the loop; then drains.
    Task<Result<void>> run();
    void stop() { stopping_.open(); }

private:
    System(RunLoop& loop, Stores stores) : loop_(loop), stores_(std::move(stores)) {}
    Result<> build(const Settings& settings);
    Result<> build_ticket(const Settings& settings);
    Result<> build_catalog();
    Result<> build_payment(const Settings& settings);
    Result<> build_waiting_room(const Settings& settings);
    Result<> build_queue(const Settings& settings);
    Result<> build_gateway(const Settings& settings);
    void start_jobs();
    Task<Response> health(Context context);

    class Face;

    RunLoop& loop_;
    Stores stores_;
    SystemClock clock_;
    SystemRandom random_;
    RevokedEntries revoked_;
    Gate stopping_;
    std::string folder_, listen_;
    std::uint16_t port_ = 0, room_port_ = 0;

    std::unique_ptr<EventLog> log_;
    std::unique_ptr<Relay> ticket_relay_, payment_relay_, queue_relay_;
    std::unique_ptr<ticket::Service> tickets_;
    std::unique_ptr<ticket::Routes> ticket_routes_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<GuardedService> ticket_face_, catalog_face_, payment_face_, queue_face_;
    std::unique_ptr<Transport> to_ticket_, to_catalog_, to_payment_, to_queue_, to_room_;
    std::unique_ptr<payment::Acquirer> acquirer_;
    std::unique_ptr<payment::Tickets> tickets_client_;
    std::unique_ptr<payment::Service> payments_;
    std::unique_ptr<payment::Routes> payment_routes_;
    std::unique_ptr<waiting_room::Component> rooms_;
    std::unique_ptr<EventsOfTicket> events_;
    std::unique_ptr<queue::Service> queue_;
    std::unique_ptr<queue::Routes> queue_routes_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::unique_ptr<HttpHandler> face_;
    std::unique_ptr<HttpServer> server_, room_server_;
    Nursery jobs_;
};

} // namespace urr::app
