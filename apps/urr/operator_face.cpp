#include "apps/urr/operator_face.hpp"

namespace urr::app {

Task<Response> OperatorFace::handle(Context context, Request request) {
    const bool ours = request.path == "/health" || request.path.starts_with("/actuator/");
    return ours ? answer(context, request) : inner_.handle(context, request);
}

Task<Response> OperatorFace::answer(Context context, Request request) {
    const bool reads = request.method == Method::get || request.method == Method::head;
    Response response;
    if (request.path == "/health")
        response = health();
    else if (request.path == "/actuator/health/liveness")
        response = json_response(200, R"({"status":"ok"})");
    else if (request.path == "/actuator/health/readiness")
        response = readiness();
    else if (request.path == "/actuator/prometheus")
        response = metrics();
    else
        co_return problem(Error(Code::NOT_FOUND), context.trace);
    if (!reads) {
        response = problem(Error(Code::METHOD_NOT_ALLOWED), context.trace);
        response.add("Allow", "GET, HEAD");
    }
    co_return response;
}

Response OperatorFace::health() const {
    const bool serves = standing_ == Standing::ready;
    bool all_up = serves, can_answer = serves;
    std::string list;
    for (const ServiceComponent* part : components_)
        for (const Dependency& dependency : part->dependencies()) {
            all_up = all_up && dependency.up;
            can_answer = can_answer && (dependency.up || !dependency.needed);
            if (!list.empty()) list += ',';
            list += "\"" + dependency.name + (dependency.up ? "\":\"ok\"" : "\":\"down\"");
        }
    return json_response(can_answer ? 200 : 503, R"({"service":")" + service_ + R"(","status":")" +
                                                     (all_up ? "ok" : "degraded") +
                                                     R"(","dependencies":{)" + list + "}}");
}

Response OperatorFace::readiness() const {
    const Standing standing = standing_;
    if (standing == Standing::ready) return json_response(200, R"({"status":"ok"})");
    return json_response(503, standing == Standing::stopped ? R"({"status":"stopped"})"
                                                            : R"({"status":"draining"})");
}

Response OperatorFace::metrics() const {
    MetricsText text;
    for (const ServiceComponent* part : components_) part->append_metrics(text);
    Response response;
    response.content_type = type_metrics;
    response.body = text.text();
    return response;
}

} // namespace urr::app
