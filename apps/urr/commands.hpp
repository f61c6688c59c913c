// The program's commands: one table of them feeds the command line and every --help. Each returns
// the exit status: 0 done, 1 failed, 2 wrong use.
#pragma once
#include <span>

#include "apps/urr/arguments.hpp"
#include "apps/urr/settings.hpp"

namespace urr::app {

struct Command {
    std::string_view name;
    std::string_view summary; // a line of `urr --help`
    std::string_view help;    // `urr NAME --help`
    int (*run)(const Settings& settings, const Arguments& arguments);
};
std::span<const Command> commands();

int serve(const Settings& settings, const Arguments& arguments);
int migrate_stores(const Settings& settings, const Arguments& arguments);
int seed(const Settings& settings, const Arguments& arguments);
int keys(const Settings& settings, const Arguments& arguments);
int admin(const Settings& settings, const Arguments& arguments);
int token(const Settings& settings, const Arguments& arguments);
int stampede(const Settings& settings, const Arguments& arguments);
int replay(const Settings& settings, const Arguments& arguments);
int evidence(const Settings& settings, const Arguments& arguments);
int config(const Settings& settings, const Arguments& arguments);
int doctor(const Settings& settings, const Arguments& arguments);
int version(const Settings& settings, const Arguments& arguments);

} // namespace urr::app
