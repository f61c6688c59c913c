// What stands behind a command's name on the command line. Wrong use ends with status 2 and one
// clear line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/result.hpp"

namespace urr::app {

using Arguments = std::vector<std::string>;

// The value of "--name value", or the fallback. Takes both out of the list.
std::string take_option(Arguments& arguments, std::string_view name, std::string_view fallback);
bool take_flag(Arguments& arguments, std::string_view name);
// A whole number from `low` on; exits with status 2 and one clear line otherwise.
std::int64_t take_number(Arguments& arguments, std::string_view name, std::int64_t fallback,
                         std::int64_t low);

// Each prints and returns the exit status: 2 and 1.
int wrong_use(std::string_view what);
int failed(const Error& error);

} // namespace urr::app
