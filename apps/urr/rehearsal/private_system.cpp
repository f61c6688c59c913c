#include "apps/urr/rehearsal/private_system.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "libs/core/random.hpp"

namespace urr::app {

namespace {

// A port that is free now, or 0. Below those that the kernel gives to clients: while the server is
// killed and started again nobody's connection may take it.
std::uint16_t free_port() {
    constexpr std::int64_t lowest = 10'000, highest = 31'999;
    SystemRandom random;
    for (int attempt = 0; attempt < 100; ++attempt) {
        const auto port = std::uint16_t(random.between(lowest, highest));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::close(fd);
        if (bound == 0) return port;
    }
    return 0;
}

} // namespace

Result<std::unique_ptr<PrivateSystem>> PrivateSystem::make(std::int64_t seats) {
    std::unique_ptr<PrivateSystem> system(new PrivateSystem());
    std::string name = (std::filesystem::temp_directory_path() / "urr-stampede-XXXXXX").string();
    if (!::mkdtemp(name.data())) return fail(Code::UNAVAILABLE, "cannot make the folder " + name);
    system->folder_ = name;
    system->port_ = free_port();
    system->room_port_ = free_port();
    if (!system->port_ || !system->room_port_)
        return fail(Code::UNAVAILABLE, "no port is free on 127.0.0.1");
    if (!system->run({"keys"}) || !system->run({"seed", "--seats", std::to_string(seats)}))
        return fail(Code::UNAVAILABLE, "cannot prepare the private system in " + name);
    return system;
}

PrivateSystem::~PrivateSystem() {
    stop();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

void PrivateSystem::set_environment() const {
    // Nothing of the caller's settings: a rehearsal is the same everywhere.
    std::vector<std::string> foreign;
    for (char** entry = environ; *entry; ++entry)
        if (std::string_view(*entry).starts_with("URR_"))
            foreign.emplace_back(*entry, std::string_view(*entry).find('='));
    for (const std::string& one : foreign) ::unsetenv(one.c_str());
    const std::pair<const char*, std::string> values[] = {
        {"URR_DATA", folder_},
        {"URR_PORT", std::to_string(port_)},
        {"URR_VWR_PORT", std::to_string(room_port_)},
        {"URR_TRUSTED_PROXIES", "127.0.0.1/32"},
        {"URR_RATE_ADAPTIVE", "yes"},
        {"URR_LIMIT_QUEUE", "6000"},
        {"URR_LIMIT_BOOKING", "600"},
        {"URR_LIMIT_GENERAL", "6000"},
        {"URR_HOLD_SECONDS", std::to_string(hold_seconds)}};
    for (const auto& [name, value] : values) ::setenv(name, value.c_str(), 1);
}

pid_t PrivateSystem::spawn(const std::vector<std::string>& arguments) const {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // no orphan, however we end
    if (::getppid() != parent) ::_exit(1);
    set_environment();
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (nowhere < 0 || ::dup2(nowhere, STDOUT_FILENO) < 0) ::_exit(1);
    std::vector<char*> raw{const_cast<char*>("urr")};
    for (const std::string& argument : arguments)
        raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    ::execv("/proc/self/exe", raw.data());
    ::_exit(1);
}

bool PrivateSystem::run(const std::vector<std::string>& arguments) const {
    int status = 0;
    ::waitpid(spawn(arguments), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void PrivateSystem::start() { server_ = spawn({"serve"}); }

void PrivateSystem::kill_and_restart() {
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
    start();
}

bool PrivateSystem::stop() {
    if (server_ < 0) return true;
    ::kill(server_, SIGTERM);
    int status = 0;
    ::waitpid(std::exchange(server_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace urr::app
