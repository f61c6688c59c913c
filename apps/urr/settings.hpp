// The settings of the program as a whole, and the list of every component's table.
#pragma once
#include <span>
#include <vector>

#include "libs/core/settings.hpp"

namespace urr::app {

inline constexpr SettingRow settings_table[] = {
    {"URR_DATA", Kind::text, "var", "folder of the embedded stores and keys"},
    {"URR_LOG_LEVEL", Kind::text, "info",
     "least level that is logged: debug, info, warning, error"},
    {"URR_EVENTS_KEPT_HOURS", Kind::number, "168",
     "how long delivered events and the memory of them are kept, in hours", 24, 8760},
    {"URR_LEAVE_SECONDS", Kind::number, "0",
     "how long it serves on after SIGTERM, unready, so that balancers in front move away", 0, 600},
    {"URR_DRAIN_SECONDS", Kind::number, "10", "how long requests may take to end after SIGTERM", 0,
     3600},
    {"URR_REDIS_URLS", Kind::text, "",
     "redis://HOST:PORT or rediss:// (TLS), comma between; with URR_REDIS_PRIMARY of the "
     "sentinels; "
     "empty: limits and revocations stay in each process"},
    {"URR_REDIS_PASSWORD", Kind::secret, "", "password of Redis"},
    {"URR_REDIS_PRIMARY", Kind::text, "", "what the sentinels call the primary"},
    {"URR_REDIS_SENTINEL_PASSWORD", Kind::secret, "", "password of the sentinels"},
    {"URR_REDIS_CA", Kind::text, "",
     "PEM file of the authorities that sign Redis's certificates; empty: the system's"},
    {"URR_LOOPS", Kind::number, "1", "threads that serve URR_VWR_PORT", 1, 64},
    {"URR_INSTANCE", Kind::text, "",
     "name of this process among its copies, in leases; empty: host and process number"},
    {"URR_LISTEN", Kind::text, "127.0.0.1", "address to listen on"},
    {"URR_PORT", Kind::number, "3001", "port of the gateway", 0, 65'535},
    {"URR_VWR_PORT", Kind::number, "3006", "port of the waiting room alone", 0, 65'535},
    // Listened on unless all who call the service run in its process.
    {"URR_AUTH_PORT", Kind::number, "3005", "port of auth, where a caller of it runs apart", 0,
     65'535},
    {"URR_TICKET_PORT", Kind::number, "3002", "port of ticket, where a caller of it runs apart", 0,
     65'535},
    {"URR_PAYMENT_PORT", Kind::number, "3003", "port of payment, where a caller of it runs apart",
     0, 65'535},
    {"URR_QUEUE_PORT", Kind::number, "3007", "port of queue, where a caller of it runs apart", 0,
     65'535},
    {"URR_CATALOG_PORT", Kind::number, "3009", "port of catalog, where a caller of it runs apart",
     0, 65'535},
    {"URR_WORKER_PORT", Kind::number, "3010",
     "port of a worker that runs apart: its health and figures", 0, 65'535},
    // Where a part that runs apart finds the others.
    {"URR_UPSTREAM_AUTH", Kind::text, "127.0.0.1:3005",
     "auth, seen from a gateway apart; of several copies all, commas between"},
    {"URR_UPSTREAM_TICKET", Kind::text, "127.0.0.1:3002",
     "ticket, seen from gateway or payment apart"},
    {"URR_UPSTREAM_PAYMENT", Kind::text, "127.0.0.1:3003", "payment, seen from a gateway apart"},
    {"URR_UPSTREAM_QUEUE", Kind::text, "127.0.0.1:3007", "queue, seen from a gateway apart"},
    {"URR_UPSTREAM_CATALOG", Kind::text, "127.0.0.1:3009",
     "catalog, seen from gateway or queue apart"},
    {"URR_UPSTREAM_VWR", Kind::text, "127.0.0.1:3006",
     "the waiting room, where it runs apart from gateway or queue"},
};

struct SettingsTable {
    std::string_view component;
    std::span<const SettingRow> rows;
};
// The program's table, then the components' in the order in which a fan meets them.
const std::vector<SettingsTable>& settings_tables();
// Checked against all of them.
Result<Settings> read_settings(char** environment);
// docs/settings.md, as `urr config --markdown` writes it.
std::string settings_markdown();

} // namespace urr::app
