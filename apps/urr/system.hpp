// Everything in one process on embedded engines: stores, services, gateway, waiting room, on one
// loop; the stores' writers have threads of their own. The services reach each other by loopback
// with the same assertions as over sockets.
#pragma once
#include <memory>

#include "apps/urr/events_of_ticket.hpp"
#include "apps/urr/operator_face.hpp"
#include "apps/urr/settings.hpp"
#include "apps/urr/stores.hpp"
#include "libs/http/client.hpp"
#include "libs/messaging/table_log.hpp"
#include "libs/telemetry/log.hpp"
#include "services/catalog/component.hpp"
#include "services/gateway/component.hpp"
#include "services/payment/component.hpp"
#include "services/queue/component.hpp"
#include "services/ticket/component.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::app {

class System {
public:
    // UNAVAILABLE with a text for the operator: keys, stores, ports.
    static Result<std::unique_ptr<System>> make(const Settings& settings, RunLoop& loop, Log& log);

    // Loads, listens and works until stop() is called on the loop; then drains.
    Task<Result<void>> run();
    void stop() { stopping_.open(); }
    const std::vector<ServiceComponent*>& components() const { return components_; }

private:
    System(const Settings& settings, RunLoop& loop, Log& log);
    Result<> build();
    Result<> build_ticket();
    Result<> build_catalog();
    Result<> build_payment();
    Result<> build_waiting_room();
    Result<> build_queue();
    Result<> build_gateway();
    Task<Result<void>> open();
    Task<> drain();

    const Settings& settings_;
    RunLoop& loop_;
    Log& log_;
    const std::string folder_;
    SystemClock clock_;
    SystemRandom random_;
    // What stands below uses what stands above and ends before it; the loop outlives all, since it
    // takes the stores' last answers.
    Stores stores_;
    RevokedEntries revoked_; // written by queue, read by ticket
    std::unique_ptr<EventLog> events_;

    // In the order in which they are built: each needs those above it.
    std::unique_ptr<ticket::Component> ticket_;
    std::unique_ptr<catalog::Component> catalog_;
    std::unique_ptr<payment::Component> payment_;
    std::unique_ptr<waiting_room::Component> waiting_room_;
    std::unique_ptr<EventsOfTicket> events_of_ticket_;
    std::unique_ptr<queue::Component> queue_;
    std::unique_ptr<gateway::Component> gateway_;
    std::unique_ptr<Transport> to_ticket_, to_catalog_, to_payment_, to_queue_, to_waiting_room_;

    std::vector<ServiceComponent*> components_; // all of the above
    OperatorFace::Process process_;
    std::unique_ptr<OperatorFace> gateway_face_, waiting_room_face_;
    std::unique_ptr<HttpServer> gateway_server_, waiting_room_server_;
    Gate stopping_;
    Nursery jobs_; // last: its tasks use all of the above
};

} // namespace urr::app
