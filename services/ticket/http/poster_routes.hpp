// The routes of posters: organizers give them, everybody sees them.
#pragma once
#include "libs/http/router.hpp"
#include "services/ticket/posters.hpp"

namespace urr::ticket {

class PosterRoutes {
public:
    PosterRoutes(Service& service, Posters& posters) : service_(service), posters_(posters) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> put(Context context, Request request);
    Task<Result<Response>> remove(Context context, Request request);
    Task<Result<Response>> image(Context context, Request request);

    Service& service_;
    Posters& posters_;
};

} // namespace urr::ticket
