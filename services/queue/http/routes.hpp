// queue's routes: parse, use case, render.
#pragma once
#include "libs/http/router.hpp"
#include "services/queue/service.hpp"

namespace urr::queue {

class Routes {
public:
    Routes(Service& service, bool secure_cookies)
        : service_(service), secure_cookies_(secure_cookies) {}
    void add_to(Router& router);

private:
    using Answer = Task<Result<Response>>;
    Answer enter(Context context, Request request);
    Answer status(Context context, Request request);
    Answer heartbeat(Context context, Request request);
    Answer leave(Context context, Request request);
    Answer stream(Context context, Request request);

    Answer overview(Context context, Request request);
    Answer acts(Context context, Request request);
    Answer threshold(Context context, Request request);
    Answer rate(Context context, Request request);
    Answer state(Context context, Request request);
    Answer message(Context context, Request request);
    Answer pause(Context context, Request request);
    Answer resume(Context context, Request request);
    Answer clear(Context context, Request request);
    Answer pull(Context context, Request request, Pull pull);

    Response answer(const Standing& standing, const EventId& event) const;

    Service& service_;
    const bool secure_cookies_;
};

} // namespace urr::queue
