// The command `urr keys`: makes keys, rotates one, says and hands out what a role needs.
#include <cstdio>

#include "apps/urr/commands.hpp"
#include "apps/urr/keys.hpp"
#include "libs/core/clock.hpp"

namespace urr::app {

namespace {

int make(const std::string& folder) {
    const auto made = make_keys(folder);
    if (!made) return failed(made.error());
    std::printf("%d keys made in %s/keys\n", *made, folder.c_str());
    return 0;
}

int rotate(const std::string& folder, const Arguments& arguments) {
    const auto type = arguments.size() == 2 ? find_token_type(arguments[1]) : std::nullopt;
    if (!type) return wrong_use("keys rotate: say one of access, vwr, place, entry, ticket");
    const SystemClock clock;
    if (const auto rotated = rotate_key(folder, *type, clock.now()); !rotated)
        return failed(rotated.error());
    std::printf("%s rotated; the key before it counts for 24 hours. Restart what runs.\n",
                arguments[1].c_str());
    return 0;
}

int hand_out(const std::string& folder, const std::string& role, const std::string& to) {
    const auto roles = roles_named({&role, 1});
    if (!roles) return wrong_use("keys: " + std::string(roles.error().text()));
    if (to.empty()) {
        for (const std::string& file : key_files_of(folder, *roles)) std::puts(file.c_str());
        return 0;
    }
    const SystemClock clock;
    const auto copied = hand_out_keys(folder, clock.now(), *roles, to);
    if (!copied) return failed(copied.error());
    std::printf("%d files for %s copied to %s\n", *copied, role.c_str(), to.c_str());
    return 0;
}

} // namespace

int keys(const Settings& settings, const Arguments& given) {
    const std::string& folder = settings.text("URR_DATA");
    Arguments arguments = given;
    const std::string role = take_option(arguments, "--role", "");
    const std::string to = take_option(arguments, "--to", "");
    if (!to.empty() && role.empty()) return wrong_use("keys: --to needs --role");
    if (role.empty() && !arguments.empty() && arguments[0] == "rotate")
        return rotate(folder, arguments);
    if (!arguments.empty()) return wrong_use("keys: unknown argument " + arguments[0]);
    return role.empty() ? make(folder) : hand_out(folder, role, to);
}

} // namespace urr::app
