#include "apps/urr/upstreams.hpp"

#include <charconv>

#include "libs/http/balanced.hpp"

namespace urr::app {

namespace {

Result<std::unique_ptr<Transport>> connect_one(RunLoop& loop, std::string_view setting,
                                               const std::string& address,
                                               const ClientLimits& limits) {
    const std::size_t colon = address.rfind(':');
    std::uint16_t port = 0;
    const char* end = address.data() + address.size();
    if (colon != std::string::npos && colon > 0) {
        const auto read = std::from_chars(address.data() + colon + 1, end, port);
        if (read.ec == std::errc() && read.ptr == end && port > 0)
            return connect_http(loop, address.substr(0, colon), port, limits);
    }
    return fail(Code::UNAVAILABLE, std::string(setting) +
                                       " must be host:port, with commas between several, not \"" +
                                       address + "\"");
}

} // namespace

Result<std::unique_ptr<Transport>> connect(RunLoop& loop, const Settings& settings,
                                           std::string_view setting) {
    const std::vector<std::string> addresses = settings.list(setting);
    ClientLimits limits;
    if (addresses.size() > 1) limits.connect_timeout = seconds(1); // another one stands by
    std::vector<std::unique_ptr<Transport>> copies;
    for (const std::string& address : addresses)
        copies.push_back(TRY_PLAIN(connect_one(loop, setting, address, limits)));
    if (copies.empty()) return connect_one(loop, setting, "", limits);
    if (copies.size() == 1) return std::move(copies.front());
    return balance(std::move(copies));
}

} // namespace urr::app
