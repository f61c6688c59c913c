#include "apps/urr/operator_face.hpp"

namespace urr::app {

Task<Response> OperatorFace::handle(Context context, Request request) {
    const bool reads = request.method == Method::get || request.method == Method::head;
    if (reads && request.path == "/health") co_return health();
    if (reads && request.path == "/actuator/health/liveness")
        co_return json_response(200, R"({"status":"ok"})");
    if (reads && request.path == "/actuator/health/readiness") co_return readiness();
    if (reads && request.path == "/actuator/prometheus") co_return metrics();
    co_return co_await inner_.handle(context, request);
}

Response OperatorFace::health() const {
    bool ok = process_.ready;
    std::string list;
    for (const ServiceComponent* part : process_.components) {
        const bool healthy = part->healthy();
        ok = ok && healthy;
        if (!list.empty()) list += ',';
        list += "\"" + std::string(part->name()) + (healthy ? "\":\"ok\"" : "\":\"down\"");
    }
    return json_response(ok ? 200 : 503, R"({"service":")" + service_ + R"(","status":")" +
                                             (ok ? "ok" : "degraded") + R"(","dependencies":{)" +
                                             list + "}}");
}

Response OperatorFace::readiness() const {
    return json_response(process_.ready ? 200 : 503,
                         process_.ready ? R"({"status":"ok"})" : R"({"status":"draining"})");
}

Response OperatorFace::metrics() const {
    MetricsText text;
    for (const ServiceComponent* part : process_.components) part->append_metrics(text);
    Response response;
    response.content_type = type_metrics;
    response.body = text.text();
    return response;
}

} // namespace urr::app
