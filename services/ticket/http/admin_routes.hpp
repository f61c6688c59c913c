// The routes of organizers: events and the log of what was done to them. Every one needs the role
// admin; every act that changes something stands in the log, written with its effect.
#pragma once
#include "libs/http/router.hpp"
#include "services/ticket/service.hpp"

namespace urr::ticket {

// The event as it is now, as its organizer sees it, with its version as entity tag.
Result<Response> show_event(const Service& service, int status, const EventId& event);

class AdminRoutes {
public:
    explicit AdminRoutes(Service& service) : service_(service) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> create(Context context, Request request);
    Task<Result<Response>> list(Context context, Request request);
    Task<Result<Response>> read(Context context, Request request);
    Task<Result<Response>> change(Context context, Request request);
    Task<Result<Response>> publish(Context context, Request request);
    Task<Result<Response>> audit(Context context, Request request);
    Service& service_;
};

} // namespace urr::ticket
