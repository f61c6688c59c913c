// Replies from any bytes: no crash, no growth beyond the bounds, and the same replies whether the
// bytes come at once or one by one.
#include <cstdlib>

#include "libs/redis/reply.hpp"

namespace {

constexpr urr::ReplyBounds bounds{256, 512, 1024, 64, 4};

bool alike(const urr::Reply& a, const urr::Reply& b) {
    if (a.kind != b.kind || a.integer != b.integer || a.text != b.text ||
        a.items.size() != b.items.size())
        return false;
    for (std::size_t i = 0; i < a.items.size(); ++i)
        if (!alike(a.items[i], b.items[i])) return false;
    return true; // numbers are not compared: a NaN is none
}

std::size_t size_of(const urr::Reply& reply) {
    std::size_t size = reply.text.size();
    for (const urr::Reply& item : reply.items) size += size_of(item);
    return size;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<urr::Reply> at_once, piecewise;
    bool failed_at_once = false, failed_piecewise = false;
    urr::ReplyParser one(bounds), two(bounds);
    for (std::string_view rest = text; !failed_at_once;) {
        std::size_t used = 0;
        auto reply = one.next(rest, used);
        if (used > rest.size()) std::abort();
        rest.remove_prefix(used);
        failed_at_once = !reply;
        if (!reply || !*reply) break;
        if (size_of(**reply) > bounds.total_bytes_max) std::abort();
        at_once.push_back(std::move(**reply));
    }
    std::string pending;
    for (std::size_t i = 0; i < size && !failed_piecewise; ++i) {
        pending += text[i];
        for (;;) {
            std::size_t used = 0;
            auto reply = two.next(pending, used);
            pending.erase(0, used);
            failed_piecewise = !reply;
            if (!reply || !*reply) break;
            piecewise.push_back(std::move(**reply));
        }
    }
    if (failed_at_once != failed_piecewise || at_once.size() != piecewise.size()) std::abort();
    for (std::size_t i = 0; i < at_once.size(); ++i)
        if (!alike(at_once[i], piecewise[i])) std::abort();
    return 0;
}
