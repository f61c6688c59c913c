// What a port answers to operators, in front of the service that it belongs to:
//
//     GET /health                    {service, status, dependencies}; 503 when a needed one is down
//     GET /actuator/health/liveness  the process answers; never depends on an engine
//     GET /actuator/health/readiness 503 once the process drains, or a store needs its restart
//     GET /actuator/prometheus       the figures of the port's components
//
// All else goes to the service. On the loop of the port; the components outlive it.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "libs/contract/component.hpp"
#include "libs/http/server.hpp"

namespace urr::app {

// Of a process; `stopped`: a store of it takes no work any more until it is started again.
enum class Standing : std::uint8_t { starting, ready, draining, stopped };

class OperatorFace final : public HttpHandler {
public:
    OperatorFace(std::string service, HttpHandler& inner,
                 std::vector<const ServiceComponent*> components,
                 const std::atomic<Standing>& standing)
        : service_(std::move(service)), inner_(inner), components_(std::move(components)),
          standing_(standing) {}

    bool answer_at_once(const Request& request, std::string& out) override {
        return inner_.answer_at_once(request, out);
    }
    Result<> admit_large_body(const Request& request) override {
        return inner_.admit_large_body(request);
    }
    Response refuse_large_body(const Request& request, const Context& context,
                               const Error& error) override {
        return inner_.refuse_large_body(request, context, error);
    }
    Task<Response> handle(Context context, Request request) override;

private:
    Task<Response> answer(Context context, Request request);
    Response health() const;
    Response readiness() const;
    Response metrics() const;

    const std::string service_;
    HttpHandler& inner_;
    const std::vector<const ServiceComponent*> components_;
    const std::atomic<Standing>& standing_;
};

} // namespace urr::app
