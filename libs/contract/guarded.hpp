// The face of a service towards its callers: believes only those who prove that they may call, then
// hands the request to the service's router with the principal in the context.
#pragma once
#include <set>

#include "libs/contract/answer_metrics.hpp"
#include "libs/contract/caller.hpp"
#include "libs/core/clock.hpp"
#include "libs/http/router.hpp"
#include "libs/http/server.hpp"

namespace urr {

class GuardedService final : public HttpHandler {
public:
    // `internal_callers`: who may use the paths under /internal, and no others.
    GuardedService(std::string name, CallerKeys keys,
                   std::set<std::string, std::less<>> internal_callers, const Clock& clock)
        : name_(std::move(name)), keys_(std::move(keys)),
          internal_callers_(std::move(internal_callers)), clock_(clock) {}

    Router& router() { return router_; }
    const Router& router() const { return router_; }
    const AnswerMetrics& answers() const { return answers_; }

    Result<> admit_large_body(const Request& request) override {
        TRY_PLAIN(believed_caller(keys_, name_, request, clock_.now()));
        return router_.admit_large_body(request);
    }
    Task<Response> handle(Context context, Request request) override {
        const Instant began = Loop::here().now();
        Response response = co_await answer(context, request);
        answers_.count(response.status, Loop::here().now() - began);
        co_return response;
    }

private:
    Task<Response> answer(Context context, Request request) {
        auto caller = believed_caller(keys_, name_, request, clock_.now());
        if (!caller) co_return problem(caller.error(), context.trace);
        // Each way: what a service may ask inside gives it no fan's routes.
        const bool internal = request.path.starts_with("/internal/");
        if (internal != internal_callers_.contains(request.header("X-Urr-Caller")))
            co_return problem(Error(Code::ASSERTION_INVALID), context.trace);
        context.principal = *caller;
        // A believed caller says how long it waits; nobody works for one who has gone.
        if (const auto left = timeout_of(request))
            context.deadline = std::min(context.deadline, Loop::here().now() + *left);
        co_return co_await router_.handle(context, request);
    }

    const std::string name_;
    const CallerKeys keys_;
    const std::set<std::string, std::less<>> internal_callers_;
    const Clock& clock_;
    Router router_;
    AnswerMetrics answers_;
};

} // namespace urr
