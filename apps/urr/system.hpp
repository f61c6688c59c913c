// One process of an installation: the components of its roles, how they reach
// each other and those that run apart, its ports, its jobs, and its end. Read system.cpp from the
// top to the bottom to see the whole house.
//
// One loop for everything but the waiting room's port, which several may serve (URR_LOOPS); the
// stores' writers have threads of their own.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "apps/urr/dynamodb_part.hpp"
#include "apps/urr/files_part.hpp"
#include "apps/urr/operator_face.hpp"
#include "apps/urr/process_metrics.hpp"
#include "apps/urr/pruning.hpp"
#include "apps/urr/redis_part.hpp"
#include "apps/urr/side_loop.hpp"
#include "apps/urr/stores.hpp"
#include "apps/urr/upstreams.hpp"
#include "apps/urr/works.hpp"
#include "libs/messaging/message.hpp"
#include "services/auth/component.hpp"
#include "services/catalog/component.hpp"
#include "services/gateway/component.hpp"
#include "services/payment/component.hpp"
#include "services/queue/component.hpp"
#include "services/ticket/component.hpp"
#include "services/waiting_room/component.hpp"
#include "services/worker/component.hpp"

namespace urr::app {

class System {
public:
    // Opens keys and stores. UNAVAILABLE with a text for the operator.
    static Result<std::unique_ptr<System>> make(const Settings& settings, const Roles& roles,
                                                RunLoop& loop, Log& log);

    ~System();

    // Loads, listens and works until stop() is called on the loop; then drains.
    Task<Result<void>> run();
    void stop() { stopping_.open(); }
    const std::vector<ServiceComponent*>& components() const { return components_; }
    // Instead of run(): gives the group's parked messages to its consumer again; how many there
    // were. NOT_FOUND names the groups that there are.
    Task<Result<std::int64_t>> replay(std::string group, std::string topic);

private:
    struct Listener {
        std::string service;
        std::unique_ptr<OperatorFace> face;
        std::unique_ptr<HttpServer> server;
    };

    System(const Settings& settings, const Roles& roles, RunLoop& loop, Log& log);
    Result<> build();
    Result<> reach_those_apart();
    Result<> build_auth();
    Result<> build_ticket();
    Result<> build_catalog();
    Result<> build_payment();
    Result<> build_waiting_room();
    Result<> build_queue();
    Result<> build_gateway();
    Result<> build_worker();
    EvidenceTo evidence_to() const;
    Task<Result<void>> open();
    Result<> listen();
    Result<> listen(const Port& port);
    Result<> listen(const std::string& service, std::string_view port, HttpHandler& inner,
                    std::vector<const ServiceComponent*> components, bool port_is_shared = false);
    Result<> listen_for_the_waiting_room(std::string_view port_setting);
    Result<> listen_for_a_service(const Port& port, const ServiceComponent& part,
                                  HttpHandler& face);
    bool store_has_stopped() const;
    void tell_health(const ServiceComponent& part);
    void look_after_stores();
    Task<> watch();
    Task<> count_parked();
    Task<> drain();

    const Settings& settings_;
    const Roles roles_;
    const std::string role_; // in logs
    RunLoop& loop_;
    Log& log_;
    const std::string folder_;
    const std::string instance_;
    SystemClock clock_;
    SystemRandom random_;
    // What stands below uses what stands above and ends before it; the loop outlives all, since it
    // takes the stores' last answers.
    Stores stores_;
    RevokedHere revoked_;
    std::unique_ptr<RedisPart> redis_;
    std::unique_ptr<aws::Service> dynamodb_; // of the waiting room
    std::unique_ptr<EventLog> events_;
    std::unique_ptr<Works> works_;     // on their way to the ledger; nullptr: there is none
    std::unique_ptr<FilesPart> files_; // of ticket; nullptr: posters are off
    std::vector<std::unique_ptr<SideLoop>> side_loops_;
    std::unique_ptr<Offload> password_pool_, mail_files_;
    std::unique_ptr<auth::MailCarrier> mails_;
    Upstreams to_;

    // In the order in which they are built: each needs those above it.
    std::unique_ptr<auth::Component> auth_;
    std::unique_ptr<ticket::Component> ticket_;
    std::unique_ptr<catalog::Component> catalog_;
    std::unique_ptr<payment::Component> payment_;
    std::unique_ptr<waiting_room::Component> waiting_room_;
    std::unique_ptr<queue::Component> queue_;
    std::unique_ptr<gateway::Component> gateway_;
    std::unique_ptr<worker::Component> worker_;
    ProcessMetrics process_;
    std::vector<ServiceComponent*> components_; // those of the above that are there

    std::optional<Pruned> pruned_;
    std::atomic<Standing> standing_{Standing::starting};
    std::string_view must_end_; // why, where it ends by itself
    std::vector<Listener> listeners_;
    std::vector<std::unique_ptr<OperatorFace>> side_faces_;
    Gate stopping_;
    Nursery jobs_; // last: its tasks use all of the above
};

} // namespace urr::app
