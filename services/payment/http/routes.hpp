// payment's routes: parse, use case, render.
#pragma once
#include "libs/http/router.hpp"
#include "services/payment/service.hpp"

namespace urr::payment {

class Routes {
public:
    // `body_key`: a body holds a card's number, so what is kept of it is a keyed code; without the
    // key a stolen store would let numbers be guessed.
    Routes(Service& service, HmacKey body_key) : service_(service), body_key_(body_key) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> prepare(Context context, Request request);
    Task<Result<Response>> confirm(Context context, Request request);
    Task<Result<Response>> cancel(Context context, Request request);
    Task<Result<Response>> mine(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);

    Service& service_;
    const HmacKey body_key_;
};

// What providers call. Whoever calls: what is told counts by its signature alone.
class Webhooks {
public:
    // `secret`: what the sandbox signs with.
    Webhooks(Service& service, HmacKey secret, const Clock& clock)
        : service_(service), secret_(secret), clock_(clock) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> tell(Context context, Request request);

    Service& service_;
    const HmacKey secret_;
    const Clock& clock_;
};

} // namespace urr::payment
