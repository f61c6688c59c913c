// payment's routes: parse, use case, render.
#pragma once
#include "libs/http/router.hpp"
#include "services/payment/service.hpp"

namespace urr::payment {

class Routes {
public:
    explicit Routes(Service& service) : service_(service) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> prepare(Context context, Request request);
    Task<Result<Response>> confirm(Context context, Request request);
    Task<Result<Response>> mine(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);

    Service& service_;
};

} // namespace urr::payment
