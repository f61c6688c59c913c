// urr: an open ticketing platform for sales where everyone rushes in at once.
#include <sodium.h>

#include <cstdio>

#include "apps/urr/commands.hpp"

extern char** environ;

namespace {

constexpr const char* help =
    R"(urr - ticketing for sales where everyone rushes in at once

usage: urr COMMAND [OPTION…]

  serve                 run everything in one process on embedded stores
  keys                  make the keys that are missing
  seed [--seats N]      make and publish demo events (or one of N seats)
  token mint [--count N] [--role user|admin]
                        signed-in test accounts: a line "account token" each
  stampede --self | --target URL --accounts FILE --stores FILE [--event ID]
           [--fans N] [--seats N] [--seed S] [--bots P] [--abandon P] [--slow-payers P]
           [--declines P] [--kills N] [--report FILE]
                        play an on-sale and audit it: against a private system in a temporary
                        folder, or against URL with the accounts of `token mint` and a file that
                        names the stores to audit ("folder=PATH"); P in percent of the fans;
                        --kills ends the private server with kill -9 so often and starts it again
  config                the settings, their values and what they mean
  version               the program's version
  --help                this text

Settings are environment variables (urr config). Exit status: 0 done, 1 failed, 2 wrong use.
)";

} // namespace

int main(int count, char** values) {
    using namespace urr::app;
    using urr::Settings;
    if (sodium_init() < 0) return 1;
    Arguments arguments(values + 1, values + count);
    if (arguments.empty()) return wrong_use("a command is missing");
    const std::string command = arguments[0];
    arguments.erase(arguments.begin());
    if (command == "--help" || command == "help") {
        std::fputs(help, stdout);
        return 0;
    }
    if (command == "version") {
        std::puts("urr " URR_VERSION);
        return 0;
    }
    auto settings = Settings::from_environment(environ, settings_tables());
    if (!settings) return failed(settings.error());
    if (command == "seed") return seed(*settings, arguments);
    if (command == "stampede") return stampede(*settings, arguments);
    if (command == "token" && !arguments.empty() && arguments[0] == "mint")
        return mint_tokens(*settings, Arguments(arguments.begin() + 1, arguments.end()));
    const bool plain = command == "serve" || command == "keys" || command == "config";
    if (!plain) return wrong_use("unknown command " + command);
    if (!arguments.empty()) return wrong_use(command + ": unknown argument " + arguments[0]);
    if (command == "serve") return serve(*settings);
    if (command == "keys") return keys(*settings);
    return print_config(*settings);
}
