// payment's routes: parse, use case, render.
#pragma once
#include "libs/http/router.hpp"
#include "services/payment/service.hpp"

namespace urr::payment {

class Routes {
public:
    // `secret`: what the sandbox signs its callbacks with.
    Routes(Service& service, HmacKey secret, const Clock& clock)
        : service_(service), secret_(secret), clock_(clock) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> prepare(Context context, Request request);
    Task<Result<Response>> confirm(Context context, Request request);
    Task<Result<Response>> cancel(Context context, Request request);
    Task<Result<Response>> webhook(Context context, Request request);
    Task<Result<Response>> mine(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);

    Service& service_;
    const HmacKey secret_;
    const Clock& clock_;
};

} // namespace urr::payment
