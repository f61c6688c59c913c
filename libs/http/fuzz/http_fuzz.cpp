// Heads, paths and chunked bodies from any bytes: no crash, and what is accepted is unambiguous.
#include <cstdlib>

#include "libs/http/parser.hpp"
#include "libs/http/path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    urr::Request request;
    const std::size_t end = urr::find_head_end(text, 0);
    if (end != std::string_view::npos) {
        const auto head = urr::parse_request_head(text.substr(0, end), request);
        if (head && head->chunked && head->has_length) std::abort();
        std::string storage;
        const auto path =
            head ? urr::decode_path(request.target, storage) : urr::decode_path(text, storage);
        if (path && (path->find("/../") != std::string_view::npos ||
                     path->find('\0') != std::string_view::npos || !path->starts_with('/')))
            std::abort();
        std::string headers;
        (void)urr::parse_response_head(text.substr(0, end), headers);
    }
    // Whole or byte by byte: the same body.
    std::string at_once, piecewise;
    urr::ChunkDecoder one(2048), two(2048);
    const auto used = one.feed(text, at_once);
    std::string pending;
    bool failed = false;
    for (std::size_t i = 0; i < size && !failed && !two.done(); ++i) {
        pending += text[i];
        const auto taken = two.feed(pending, piecewise);
        failed = !taken;
        if (taken) pending.erase(0, *taken);
    }
    if (used && one.done() && (failed || piecewise != at_once)) std::abort();
    return 0;
}
