#include "libs/http/large_bodies.hpp"

#include "libs/http/path.hpp"

namespace urr {

namespace {

Result<> admit(HttpHandler& handler, const ServerLimits& limits, std::size_t in_hand,
               Request& request, std::uint64_t length, std::string& path) {
    request.path = TRY_PLAIN(decode_path(request.target, path));
    if (length > limits.large_body_bytes_max) return fail(Code::BODY_TOO_LARGE);
    TRY_PLAIN(handler.admit_large_body(request));
    if (in_hand >= limits.large_bodies_max) return fail(Error(Code::OVERLOADED).retry_after(1));
    return {};
}

} // namespace

void Rest::begin(std::string& from, std::size_t written, std::size_t& unsent) {
    bytes.swap(from);
    sent = written;
    share.take(unsent, bytes.capacity());
}

void Rest::end() {
    std::string().swap(bytes);
    share.give_back();
}

std::optional<Response> refuse_large(HttpHandler& handler, const ServerLimits& limits,
                                     std::size_t in_hand, Request& request, std::uint64_t length,
                                     std::string& path, Random& random) {
    const auto may = admit(handler, limits, in_hand, request, length, path);
    if (may) return std::nullopt;
    return handler.refuse_large_body(request, context_of(request, never, random), may.error());
}

void keep_bounds(Response& response, const ServerLimits& limits, const ServerFigures& figures,
                 std::size_t unsent) {
    const std::size_t bytes = response.body.size();
    if (response.stream && std::size_t(figures.streams_open.value()) >= limits.streams_max)
        response = problem(Error(Code::STREAMS_FULL).retry_after(5), Trace{});
    else if (bytes > large_answer_bytes && unsent + bytes > limits.unsent_bytes_max)
        response = problem(Error(Code::OVERLOADED).retry_after(1), Trace{});
}

} // namespace urr
