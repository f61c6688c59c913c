// The settings of the program as a whole, and the list of every component's table.
#pragma once
#include <span>
#include <vector>

#include "libs/core/settings.hpp"

namespace urr::app {

inline constexpr SettingRow settings_table[] = {
    {"URR_DATA", Kind::text, "var", "folder of the embedded stores and keys"},
    {"URR_LISTEN", Kind::text, "127.0.0.1", "address to listen on"},
    {"URR_PORT", Kind::number, "3001", "port of the gateway", 0, 65'535},
    {"URR_VWR_PORT", Kind::number, "3006", "port of the waiting room alone", 0, 65'535},
    {"URR_LOG_LEVEL", Kind::text, "info",
     "least level that is logged: debug, info, warning, error"},
};

// The program's table, then the components' in the order in which a fan meets them.
std::vector<std::span<const SettingRow>> settings_tables();

} // namespace urr::app
