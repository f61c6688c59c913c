// The examinations of `urr doctor`. Each finding is a line: what was looked at, and what is wrong
// or how it stands. Reads only, so it may run beside a serving process.
#pragma once
#include <string>
#include <vector>

#include "libs/core/clock.hpp"
#include "libs/core/settings.hpp"

namespace urr::app {

struct Finding {
    bool good = false;
    std::string text;
};

Finding examine_folder(const std::string& folder);
Finding examine_space(const std::string& folder);
std::vector<Finding> examine_keys(const std::string& folder, Instant now);
// A store's schema, its integrity, and its time beside the clock.
std::vector<Finding> examine_stores(const std::string& folder, const Clock& clock);
// Those on PostgreSQL.
std::vector<Finding> examine_databases(const Settings& settings);
// Free, or answering /health.
std::vector<Finding> examine_ports(const Settings& settings);
Finding examine_file_limit();

} // namespace urr::app
