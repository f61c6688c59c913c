#include "apps/urr/doctor.hpp"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "apps/urr/commands.hpp"
#include "apps/urr/doctor_engines.hpp"
#include "apps/urr/doctor_words.hpp"
#include "apps/urr/keys.hpp"
#include "apps/urr/port_probe.hpp"
#include "apps/urr/settings_check.hpp"
#include "apps/urr/stores.hpp"

namespace urr::app {

namespace {

constexpr std::uint64_t free_bytes_min = 256u << 20;
constexpr std::uint64_t files_min = 10'000;
constexpr std::int64_t clock_lag_us_max = 2'000'000; // the store's time may run ahead a little

using Handle = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

Handle open_to_read(const std::string& path) {
    sqlite3* raw = nullptr;
    sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    sqlite3_busy_timeout(raw, 2000);
    return {raw, &sqlite3_close};
}

// The first value, or nothing with the reason in `why`.
std::optional<std::string> ask(sqlite3* handle, const char* sql, std::string& why) {
    sqlite3_stmt* statement = nullptr;
    std::optional<std::string> value;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        value = text ? text : "";
    } else {
        why = sqlite3_errmsg(handle);
    }
    sqlite3_finalize(statement);
    return value;
}

Finding examine_store(const std::string& path, const Stores::File& file, Instant now) {
    struct stat facts;
    if (::stat(path.c_str(), &facts) != 0)
        return {false, path + ": " + std::strerror(errno) + ": run `urr migrate`"};
    const Handle handle = open_to_read(path);
    std::string why;
    const auto version =
        ask(handle.get(), "SELECT coalesce(max(version), 0) FROM schema_version", why);
    if (!version) return {false, path + ": " + why};
    const int needed = file.migrations.back().version;
    if (std::stoi(*version) < needed)
        return {false, path + ": schema " + *version + ", this program needs " +
                           std::to_string(needed) + ": run `urr migrate`"};
    const auto check = ask(handle.get(), "PRAGMA quick_check(1)", why);
    if (!check || *check != "ok")
        return {false, path + ": damaged (" + check.value_or(why) + "): restore it from a backup"};
    const auto time = ask(handle.get(), "SELECT now_us FROM store_time", why);
    if (const std::int64_t ahead_us = time ? std::stoll(*time) - now.us : 0;
        ahead_us > clock_lag_us_max)
        return {false, path + ": the clock is " + std::to_string(ahead_us / 1'000'000) +
                           " s behind the store's time: set the clock right"};
    return {true, path + ": schema " + *version + ", whole"};
}

} // namespace

Finding examine_folder(const std::string& folder) {
    struct stat facts;
    if (::stat(folder.c_str(), &facts) != 0)
        return {false, "data folder " + folder + ": " + std::strerror(errno)};
    if (!S_ISDIR(facts.st_mode)) return {false, "data folder " + folder + " is no folder"};
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
        return {false, "data folder " + folder + ": " + std::strerror(errno)};
    if (facts.st_mode & 077)
        return {false, "data folder " + folder + " is open to others: chmod 700"};
    return {true, "data folder " + folder + " is ours alone and can be written"};
}

Finding examine_space(const std::string& folder) {
    struct statvfs facts;
    if (::statvfs(folder.c_str(), &facts) != 0)
        return {false, "space in " + folder + ": " + std::strerror(errno)};
    const std::uint64_t bytes = std::uint64_t(facts.f_bavail) * facts.f_frsize;
    const std::string text = "space: " + std::to_string(bytes >> 20) + " MiB free";
    if (bytes < free_bytes_min)
        return {false, text + ", too few: " + std::to_string(free_bytes_min >> 20) + " at least"};
    return {true, text};
}

std::vector<Finding> examine_keys(const std::string& folder, Instant now, const Roles& roles) {
    std::vector<Finding> findings;
    for (std::string& fault : key_faults(folder, now, roles))
        findings.push_back({false, std::move(fault)});
    if (findings.empty()) findings.push_back({true, "keys are there and well-formed"});
    return findings;
}

std::vector<Finding> examine_stores(const std::string& folder, const Clock& clock,
                                    const Roles& roles) {
    std::vector<Finding> findings;
    for (const Stores::File& file : Stores::files())
        if (file.needed(roles))
            findings.push_back(
                examine_store(folder + "/" + std::string(file.name) + ".db", file, clock.now()));
    return findings;
}

std::vector<Finding> examine_ports(const Settings& settings, const Roles& roles) {
    std::vector<Finding> findings;
    for (const Port& each : ports_of(roles)) {
        const auto port = std::uint16_t(settings.number(each.setting));
        const std::string text = std::string(each.setting) + " " + std::to_string(port);
        switch (probe_port(settings.text("URR_LISTEN"), port)) {
        case PortState::free:
            findings.push_back({true, text + " is free"});
            break;
        case PortState::serving:
            findings.push_back({true, text + " is served by urr"});
            break;
        case PortState::taken:
            findings.push_back({false, text + " is taken by another program"});
            break;
        case PortState::unusable:
            findings.push_back({false, text + ": cannot listen on " + settings.text("URR_LISTEN")});
            break;
        }
    }
    return findings;
}

Finding examine_file_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::string text = "open files: " + std::to_string(limit.rlim_max) + " allowed";
    if (limit.rlim_max < files_min)
        return {false, text + ", too few for a sale: " + std::to_string(files_min) + " at least"};
    return {true, text};
}

int doctor(const Settings& settings, const Arguments& names) {
    const Result<Roles> named =
        names.empty() ? Result<Roles>(Roles{}) : read_roles(settings, names);
    if (!named) return wrong_use("doctor: " + std::string(named.error().text()));
    const Roles& roles = *named;
    const std::string& folder = settings.text("URR_DATA");
    const SystemClock clock;
    std::vector<Finding> findings{examine_folder(folder)};
    const auto add = [&findings](std::vector<Finding> more) {
        std::ranges::move(more, std::back_inserter(findings));
    };
    if (findings[0].good) { // the rest would only say the same again
        findings.push_back(examine_space(folder));
        add(examine_keys(folder, clock.now(), roles));
        if (!on_postgres(settings)) add(examine_stores(folder, clock, roles));
    }
    add(examine_engines(settings, roles, clock));
    add(examine_ports(settings, roles));
    findings.push_back(examine_file_limit());
    bool all_good = true;
    for (const Finding& finding : findings) {
        const std::string text = without_secrets(finding.text, settings);
        std::printf("%s  %s\n", finding.good ? "ok " : "bad", text.c_str());
        all_good = all_good && finding.good;
    }
    return all_good ? 0 : 1;
}

} // namespace urr::app
