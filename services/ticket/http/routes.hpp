// The routes of fans and of payment: parse, use case, render. Who calls is in the context: the
// component has checked the caller's assertion.
#pragma once
#include "libs/http/router.hpp"
#include "services/ticket/service.hpp"

namespace urr::ticket {

class Routes {
public:
    explicit Routes(Service& service) : service_(service) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> seats(Context context, Request request);
    Task<Result<Response>> layout(Context context, Request request);
    Task<Result<Response>> stream(Context context, Request request);
    Task<Result<Response>> best(Context context, Request request);
    Task<Result<Response>> reserve(Context context, Request request);
    Task<Result<Response>> mine(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);
    Task<Result<Response>> cancel(Context context, Request request);
    Task<Result<Response>> tickets(Context context, Request request);
    Task<Result<Response>> ticket(Context context, Request request);
    Task<Result<Response>> time(Context context, Request request);
    Task<Result<Response>> begin_payment(Context context, Request request);
    Task<Result<Response>> order(Context context, Request request);

    Service& service_;
};

} // namespace urr::ticket
