// The program's commands. Each returns the exit status: 0 done, 1 failed, 2 wrong use.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "apps/urr/settings.hpp"

namespace urr::app {

using Arguments = std::vector<std::string>;

int serve(const Settings& settings);
int keys(const Settings& settings);
int seed(const Settings& settings, const Arguments& arguments);
int mint_tokens(const Settings& settings, const Arguments& arguments);
int print_config(const Settings& settings);
int stampede(const Settings& settings, const Arguments& arguments);

// The value of "--name value", or the fallback. Takes both out of the list.
std::string take_option(Arguments& arguments, std::string_view name, std::string_view fallback);
bool take_flag(Arguments& arguments, std::string_view name);
// A whole number from `low` on; exits with status 2 and one clear line otherwise.
std::int64_t take_number(Arguments& arguments, std::string_view name, std::int64_t fallback,
                         std::int64_t low);
int wrong_use(std::string_view what);
int failed(const Error& error);

} // namespace urr::app
