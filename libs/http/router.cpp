#include "libs/http/router.hpp"

namespace urr {

namespace {

// Takes the first segment of "/a/b" off; false at the end.
bool next_segment(std::string_view& path, std::string_view& segment) {
    if (path.empty() || path[0] != '/') return false;
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segment = path.substr(0, end);
    path.remove_prefix(end);
    return true;
}

bool matches(std::string_view pattern, Request& request) {
    std::string_view path = request.path;
    std::string_view wanted, given;
    std::size_t parameter = 0;
    while (next_segment(pattern, wanted)) {
        if (!next_segment(path, given)) return false;
        if (wanted.starts_with('{')) {
            if (given.empty()) return false;
            request.parameters[parameter++] = given;
        } else if (wanted != given) {
            return false;
        }
    }
    return path.empty();
}

bool same_method(Method route, Method request) {
    return route == request || (route == Method::get && request == Method::head);
}

} // namespace

void Router::insert(Route route) {
    // Patterns with fewer names come first, so that a fixed segment wins.
    const auto names = [](const Route& r) {
        return std::count(r.pattern.begin(), r.pattern.end(), '{');
    };
    const auto at =
        std::upper_bound(routes_.begin(), routes_.end(), route,
                         [&](const Route& a, const Route& b) { return names(a) < names(b); });
    routes_.insert(at, std::move(route));
}

const Router::Route* Router::find(Request& request, bool& path_known) const {
    path_known = false;
    for (const Route& route : routes_) {
        if (!matches(route.pattern, request)) continue;
        path_known = true;
        if (same_method(route.method, request.method)) return &route;
    }
    return nullptr;
}

std::string Router::allowed(const Request& request) const {
    std::string methods;
    for (const Route& route : routes_) {
        Request copy = request;
        if (!matches(route.pattern, copy)) continue;
        if (!methods.empty()) methods += ", ";
        methods += method_name(route.method);
        if (route.method == Method::get) methods += ", HEAD";
    }
    return methods;
}

Result<> Router::admit_large_body(Request request) const {
    bool path_known = false;
    const Route* route = find(request, path_known);
    if (!route || !route->upload) return fail(Code::BODY_TOO_LARGE);
    return {};
}

Task<Response> Router::handle(Context context, Request request) const {
    bool path_known = false;
    const Route* route = find(request, path_known);
    const std::string_view language = request.header("Accept-Language");
    if (!route) {
        Response response = problem(Error(path_known ? Code::METHOD_NOT_ALLOWED : Code::NOT_FOUND),
                                    context.trace, language);
        if (path_known) response.add("Allow", allowed(request));
        co_return response;
    }
    Result<Response> answer = co_await route->call(route->object, context, request);
    if (answer) co_return std::move(*answer);
    co_return problem(answer.error(), context.trace, language);
}

} // namespace urr
