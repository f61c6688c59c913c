// urr: an open ticketing platform for sales where everyone rushes in at once.
#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "apps/urr/commands.hpp"

extern char** environ;

namespace {

using namespace urr::app;

void print_help() {
    std::puts("urr - ticketing for sales where everyone rushes in at once\n\n"
              "usage: urr COMMAND [OPTION…]\n");
    for (const Command& command : commands())
        std::printf("  %-10.*s %.*s\n", int(command.name.size()), command.name.data(),
                    int(command.summary.size()), command.summary.data());
    std::puts("\nurr COMMAND --help tells more. Settings are environment variables (urr config).\n"
              "Exit status: 0 done, 1 failed, 2 wrong use.");
}

bool wants_help(std::string_view argument) { return argument == "--help" || argument == "-h"; }

} // namespace

int main(int count, char** values) {
    ::umask(077); // accounts, keys, mails: what is written is for the owner alone
    if (sodium_init() < 0) return 1;
    Arguments arguments(values + 1, values + count);
    if (arguments.empty()) return wrong_use("a command is missing");
    const std::string name = arguments[0] == "--version" ? "version" : arguments[0];
    arguments.erase(arguments.begin());
    if (wants_help(name) || name == "help") {
        print_help();
        return 0;
    }
    const auto command = std::ranges::find(commands(), std::string_view(name), &Command::name);
    if (command == commands().end()) return wrong_use("unknown command " + name);
    if (std::ranges::any_of(arguments, wants_help)) {
        std::fwrite(command->help.data(), 1, command->help.size(), stdout);
        return 0;
    }
    const auto settings = read_settings(environ);
    if (!settings) return failed(settings.error());
    return command->run(*settings, arguments);
}
