// Router: finds the handler of a request by method and path, and turns its errors into problems.
//
//     router.add<&TicketRoutes::hold>(Method::post, "/api/v1/reservations", routes);
//
// A path is fixed segments and {names}; a fixed segment wins over a name. HEAD counts as GET. An
// unknown path answers 404, a known one with another method 405 with Allow. Built once, then
// shared by all loops: it is not changed while requests run.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "libs/http/message.hpp"

namespace urr {

class Router {
public:
    struct Route {
        Method method;
        std::string pattern;
        void* object;
        Task<Result<Response>> (*call)(void* object, Context context, Request request);
        bool upload = false; // takes a body beyond the ordinary limit
    };

    template <auto Handler, class Object>
    void add(Method method, std::string_view pattern, Object& object) {
        insert({method, std::string(pattern), &object,
                [](void* raw, Context context, Request request) {
                    return (static_cast<Object*>(raw)->*Handler)(context, request);
                }});
    }

    // The same for a handler that takes files; see HttpHandler::admit_large_body.
    template <auto Handler, class Object>
    void add_upload(Method method, std::string_view pattern, Object& object) {
        add<Handler>(method, pattern, object);
        for (Route& route : routes_)
            if (route.method == method && route.pattern == pattern) route.upload = true;
    }
    // BODY_TOO_LARGE unless the request's route is one of those.
    Result<> admit_large_body(Request request) const;

    // Always a response: errors become problems with the request's trace.
    Task<Response> handle(Context context, Request request) const;
    // The route of a request with its parameters set, or nullptr; `path_known` tells 405 from 404.
    const Route* find(Request& request, bool& path_known) const;
    const std::vector<Route>& routes() const { return routes_; }

private:
    void insert(Route route);
    std::string allowed(const Request& request) const;
    std::vector<Route> routes_;
};

} // namespace urr
