// queue's routes: parse, use case, render.
#pragma once
#include "libs/http/router.hpp"
#include "services/queue/service.hpp"

namespace urr::queue {

class Routes {
public:
    explicit Routes(Service& service) : service_(service) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> enter(Context context, Request request);
    Task<Result<Response>> status(Context context, Request request);
    Task<Result<Response>> heartbeat(Context context, Request request);
    Task<Result<Response>> leave(Context context, Request request);
    Task<Result<Response>> overview(Context context, Request request);
    Task<Result<Response>> threshold(Context context, Request request);
    Task<Result<Response>> pause(Context context, Request request);
    Task<Result<Response>> resume(Context context, Request request);

    Service& service_;
};

} // namespace urr::queue
