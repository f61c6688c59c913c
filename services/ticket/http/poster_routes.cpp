#include "services/ticket/http/poster_routes.hpp"

#include "libs/http/etag.hpp"
#include "services/ticket/http/admin_routes.hpp"
#include "services/ticket/http/request.hpp"

namespace urr::ticket {

void PosterRoutes::add_to(Router& router) {
    router.add_upload<&PosterRoutes::put>(Method::put, "/api/v1/admin/events/{id}/poster", *this);
    router.add<&PosterRoutes::remove>(Method::del, "/api/v1/admin/events/{id}/poster", *this);
    router.add<&PosterRoutes::image>(Method::get, "/api/v1/images/{eventId}/{file}", *this);
}

Task<Result<Response>> PosterRoutes::put(Context context, Request request) {
    TRY(need_admin(context));
    const EventId id = TRY(id_of<EventId>(request.parameters[0]));
    TRY(co_await posters_.put(context, id, std::string(request.body)));
    co_return show_event(service_, 200, id);
}

Task<Result<Response>> PosterRoutes::remove(Context context, Request request) {
    TRY(need_admin(context));
    const EventId id = TRY(id_of<EventId>(request.parameters[0]));
    TRY(co_await posters_.remove(context, id));
    co_return show_event(service_, 200, id);
}

// What is behind such a path never changes, so that whoever has its tag has the bytes: he is told
// so without the file's being read.
Task<Result<Response>> PosterRoutes::image(Context context, Request request) {
    const EventId event = TRY(id_of<EventId>(request.parameters[0]));
    const std::string_view file = request.parameters[1];
    const auto name = read_poster_name(file);
    if (!name) co_return fail(Code::NOT_FOUND);
    const std::string tag = "\"" + std::string(name->hash) + "\"";
    Response response;
    const SeatMap* map = service_.find(event);
    if (map && map->event().poster == file && tag_matches(request.header("If-None-Match"), tag)) {
        response.status = 304;
    } else {
        response.body = TRY(co_await posters_.read(context, event, file));
        response.content_type = name->type;
    }
    response.add("ETag", tag)
        .add("Cache-Control", "public, max-age=31536000, immutable")
        .add("X-Content-Type-Options", "nosniff");
    co_return response;
}

} // namespace urr::ticket
