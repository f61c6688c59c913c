// urr serve, urr replay: the commands that run a System.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "apps/urr/bounded_end.hpp"
#include "apps/urr/commands.hpp"
#include "apps/urr/settings_check.hpp"
#include "apps/urr/signals.hpp"
#include "apps/urr/system.hpp"
#include "libs/async/run_to_end.hpp"

namespace urr::app {

namespace {

constexpr Duration end_max = seconds(10); // of taking a drained process apart

// A connection is a file; the soft limit is often 1,024.
void raise_file_limit() {
    rlimit limit;
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Task<> serve_until_stopped(System& system, RunLoop& loop, int& status) {
    const auto ended = co_await system.run();
    if (!ended) status = failed(ended.error());
    loop.stop();
}

Result<Level> log_level(const Settings& settings) {
    if (const auto level = find_level(settings.text("URR_LOG_LEVEL"))) return *level;
    return fail(Code::UNAVAILABLE, "URR_LOG_LEVEL must be debug, info, warning or error");
}

} // namespace

int serve(const Settings& settings, const Arguments& names) {
    const auto roles = read_roles(settings, names);
    if (!roles) return wrong_use("serve: " + std::string(roles.error().text()));
    const auto level = log_level(settings);
    if (!level) return failed(level.error());
    Signals::block();
    raise_file_limit();
    const SystemClock clock;
    LineLog log(STDERR_FILENO, clock, "urr", *level);
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get()); // parts that are built may begin to work
    auto made = System::make(settings, *roles, *loop, log);
    if (!made) return failed(made.error());
    System& system = **made;
    int status = 0;
    {
        Signals signals(*loop, [](void* of) { static_cast<System*>(of)->stop(); }, &system);
        Nursery nursery;
        nursery.spawn(serve_until_stopped(system, *loop, status));
        loop->run();
        const BoundedEnd bound(end_max, status);
        made->reset();
    }
    return status;
}

int replay(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const std::string group = take_option(arguments, "--group", "");
    const std::string topic = take_option(arguments, "--topic", "");
    if (!arguments.empty()) return wrong_use("replay: unknown argument " + arguments[0]);
    if (group.empty()) return wrong_use("replay: --group is needed");
    const SystemClock clock;
    LineLog log(STDERR_FILENO, clock, "urr", Level::warning);
    auto loop = make_asio_loop();
    Roles roles;
    roles.worker = false; // it takes no part in events
    auto made = System::make(settings, roles, *loop, log);
    if (!made) return failed(made.error());
    const auto count = run_to_end(*loop, (*made)->replay(group, topic));
    const int status = count ? 0 : failed(count.error());
    if (count) std::printf("%lld messages taken\n", static_cast<long long>(*count));
    const BoundedEnd bound(end_max, status);
    made->reset();
    return status;
}

} // namespace urr::app
