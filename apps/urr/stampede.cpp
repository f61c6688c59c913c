// urr stampede --self: starts a private system in a temporary folder, sends fans at it over HTTP as
// browsers would (both tiers, the map, hold, payment), and audits what came of it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "apps/urr/audit.hpp"
#include "apps/urr/commands.hpp"
#include "apps/urr/fans.hpp"
#include "apps/urr/keys.hpp"
#include "libs/sql/sqlite_database.hpp"

extern char** environ;

namespace urr::app {

namespace {

namespace fs = std::filesystem;

struct Private final : Victim {
    fs::path folder;
    std::string port, room_port;
    pid_t server = -1;

    ~Private() override {
        stop();
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    void set_environment() const {
        const std::pair<const char*, std::string> values[] = {
            {"URR_DATA", folder.string()}, {"URR_PORT", port},
            {"URR_VWR_PORT", room_port},   {"URR_TRUSTED_PROXIES", "127.0.0.1/32"},
            {"URR_RATE_ADAPTIVE", "yes"},  {"URR_LIMIT_QUEUE", "6000"},
            {"URR_LIMIT_BOOKING", "600"},  {"URR_LIMIT_GENERAL", "6000"},
            {"URR_HOLD_SECONDS", "10"}};
        for (const auto& [name, value] : values) ::setenv(name, value.c_str(), 1);
    }
    pid_t spawn(const std::vector<std::string>& arguments, bool quiet) const {
        const pid_t child = ::fork();
        if (child != 0) return child;
        set_environment();
        if (quiet && !std::freopen("/dev/null", "w", stdout)) ::_exit(1);
        std::vector<char*> raw{const_cast<char*>("urr")};
        for (const std::string& argument : arguments)
            raw.push_back(const_cast<char*>(argument.c_str()));
        raw.push_back(nullptr);
        ::execv("/proc/self/exe", raw.data());
        ::_exit(1);
    }
    bool run(const std::vector<std::string>& arguments) const {
        int status = 0;
        ::waitpid(spawn(arguments, true), &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    void kill_and_restart() override {
        ::kill(server, SIGKILL);
        ::waitpid(server, nullptr, 0);
        server = spawn({"serve"}, true);
    }
    // True when the server ended by itself with status 0.
    bool stop() {
        if (server < 0) return true;
        ::kill(server, SIGTERM);
        int status = 0;
        ::waitpid(std::exchange(server, -1), &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
};

Result<EventId> only_event(const std::string& folder) {
    SystemClock clock;
    SqliteOptions options;
    options.path = folder + "/ticket.db";
    options.clock = &clock;
    auto database = TRY_PLAIN(open_sqlite(options));
    static constexpr auto find = [](Tx& tx) -> Task<Result<EventId>> {
        static constexpr Statement one{"SELECT id FROM events LIMIT 1"};
        co_return TRY(co_await tx.run(one)).id<EventId>(0, 0);
    };
    Result<EventId> found = fail(Code::NOT_FOUND);
    auto loop = make_asio_loop();
    static constexpr auto ask = [](Database& db, Result<EventId>& out, RunLoop& l) -> Task<> {
        out = co_await db.read(Context{}, find);
        l.stop();
    };
    Loop::Enter in(loop.get());
    Nursery nursery;
    nursery.spawn(ask(*database, found, *loop));
    loop->run();
    database.reset();
    return found;
}

} // namespace

int stampede(const Settings&, const Arguments& given) {
    Arguments arguments = given;
    if (!take_flag(arguments, "--self")) return wrong_use("stampede: --self is needed");
    StampedePlan plan;
    plan.fans = take_number(arguments, "--fans", 10'000, 1);
    plan.seats = take_number(arguments, "--seats", 1'000, 1);
    plan.seed = std::uint64_t(take_number(arguments, "--seed", 7, 0));
    plan.abandon_percent = take_number(arguments, "--abandon", 0, 0);
    plan.decline_percent = take_number(arguments, "--declines", 0, 0);
    plan.kills = take_number(arguments, "--kills", 0, 0);
    const std::string report_path = take_option(arguments, "--report", "");
    if (!arguments.empty()) return wrong_use("stampede: unknown argument " + arguments[0]);

    Private system;
    char name[] = "/tmp/urr-stampede-XXXXXX";
    if (!::mkdtemp(name)) return failed(Error(Code::UNAVAILABLE, "cannot make a folder in /tmp"));
    system.folder = name;
    system.port = std::to_string(20'000 + ::getpid() % 20'000);
    system.room_port = std::to_string(40'000 + ::getpid() % 20'000);
    if (!system.run({"keys"}) || !system.run({"seed", "--seats", std::to_string(plan.seats)}))
        return failed(Error(Code::UNAVAILABLE, "cannot prepare the private system"));
    const auto event = only_event(system.folder.string());
    const auto access = signing_key(system.folder.string(), TokenType::access);
    if (!event || !access) return failed(Error(Code::INTERNAL, "no event was made"));
    plan.event = *event;
    plan.port = std::uint16_t(std::stoi(system.port));
    system.server = system.spawn({"serve"}, true);

    Stampede stampede(plan, *access, system);
    stampede.run();
    const bool ended_well = system.stop();
    Audit audit = audit_stores(system.folder.string(), plan.event);
    audit_clients(stampede.records(), audit);
    if (!ended_well) ++audit.unexplained;
    const std::string report = stampede.report(audit);
    std::printf("%s\n", report.c_str());
    if (!report_path.empty()) {
        FILE* file = std::fopen(report_path.c_str(), "w");
        if (!file) return failed(Error(Code::UNAVAILABLE, "cannot write " + report_path));
        std::fprintf(file, "%s\n", report.c_str());
        std::fclose(file);
    }
    return audit.ok() ? 0 : 1;
}

} // namespace urr::app
