#include "apps/urr/upstreams.hpp"

#include <charconv>

namespace urr::app {

Result<std::unique_ptr<Transport>> connect(RunLoop& loop, const Settings& settings,
                                           std::string_view setting) {
    const std::string& address = settings.text(setting);
    const std::size_t colon = address.rfind(':');
    std::uint16_t port = 0;
    const char* end = address.data() + address.size();
    if (colon != std::string::npos && colon > 0) {
        const auto read = std::from_chars(address.data() + colon + 1, end, port);
        if (read.ec == std::errc() && read.ptr == end && port > 0)
            return connect_http(loop, address.substr(0, colon), port, ClientLimits{});
    }
    return fail(Code::UNAVAILABLE,
                std::string(setting) + " must be host:port, not \"" + address + "\"");
}

} // namespace urr::app
