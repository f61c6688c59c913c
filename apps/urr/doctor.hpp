// The examinations of `urr doctor`: of what the roles need. Each finding is a line: what was looked
// at, and what is wrong or how it stands. Reads only, so it may run beside a serving process. The
// engines have a file of their own: doctor_engines.hpp.
#pragma once
#include <string>
#include <vector>

#include "apps/urr/roles.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/settings.hpp"

namespace urr::app {

struct Finding {
    bool good = false;
    std::string text;
};

Finding examine_folder(const std::string& folder);
Finding examine_space(const std::string& folder);
std::vector<Finding> examine_keys(const std::string& folder, Instant now, const Roles& roles);
// A store's schema, its integrity, and its time beside the clock.
std::vector<Finding> examine_stores(const std::string& folder, const Clock& clock,
                                    const Roles& roles);
// Free, or answering /health.
std::vector<Finding> examine_ports(const Settings& settings, const Roles& roles);
Finding examine_file_limit();

} // namespace urr::app
