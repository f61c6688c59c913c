// Settings that do not go together, or that what is to run lacks: each fits its table, see
// settings.hpp, and yet nothing could start with them.
#pragma once
#include "apps/urr/roles.hpp"
#include "libs/core/settings.hpp"

namespace urr::app {

// Those that are named (none: all), as far as the engines of these settings allow; see read_roles.
Result<Roles> read_roles(const Settings& settings, std::span<const std::string> names);
// VALIDATION_FAILED with a line for each, as Settings::from_environment has them.
Result<> check_settings(const Settings& settings, const Roles& roles);
// The same for `urr migrate`, which needs a URL of every store on PostgreSQL: the owner's or the
// service's.
Result<> check_settings_of_migrate(const Settings& settings);

} // namespace urr::app
