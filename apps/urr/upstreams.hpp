// How the parts of this process reach each service: by loopback where it runs here, by sockets
// where it runs apart. The same codec and the same assertions either way.
#pragma once
#include <memory>

#include "libs/core/settings.hpp"
#include "libs/http/client.hpp"

namespace urr::app {

struct Upstreams {
    std::unique_ptr<Transport> auth, ticket, catalog, payment, queue, waiting_room;
};

// The transport to the addresses in a setting: "host:port", with commas between the copies of one
// service, which are asked in turn. UNAVAILABLE names the setting.
Result<std::unique_ptr<Transport>> connect(RunLoop& loop, const Settings& settings,
                                           std::string_view setting);

} // namespace urr::app
