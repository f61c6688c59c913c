// What a port answers to operators, in front of the service that it belongs to:
//
//     GET /health                    {service, status, dependencies}; 503 when something is down
//     GET /actuator/health/liveness  the process answers; never depends on an engine
//     GET /actuator/health/readiness 503 before it is open and once it drains
//     GET /actuator/prometheus       the figures of every component in the process
//
// All else goes to the service. One loop; the components outlive it.
#pragma once
#include <vector>

#include "libs/contract/component.hpp"
#include "libs/http/server.hpp"

namespace urr::app {

class OperatorFace final : public HttpHandler {
public:
    struct Process {
        std::vector<const ServiceComponent*> components;
        bool ready = false;
    };
    // `process` may be completed later; it outlives the face.
    OperatorFace(std::string service, HttpHandler& inner, const Process& process)
        : service_(std::move(service)), inner_(inner), process_(process) {}

    bool answer_at_once(const Request& request, std::string& out) override {
        return inner_.answer_at_once(request, out);
    }
    Task<Response> handle(Context context, Request request) override;

private:
    Response health() const;
    Response readiness() const;
    Response metrics() const;

    const std::string service_;
    HttpHandler& inner_;
    const Process& process_;
};

} // namespace urr::app
