#include "tests/engines/aws_server.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace urr {

namespace {

std::string line_of(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

} // namespace

AwsServer::AwsServer(std::string name, const char* variable) : name_(std::move(name)) {
    const char* folder = std::getenv(variable);
    folder_ = folder ? folder : "";
    const std::string port = line_of(folder_ + "/port");
    if (port.empty()) {
        std::fprintf(stderr,
                     "no server: run this by ctest, or set %s to the folder of "
                     "scripts/engines/%s.sh\n",
                     variable, name_.c_str());
        std::abort();
    }
    port_ = std::uint16_t(std::stoi(port));
}

int AwsServer::process() const { return std::stoi(line_of(folder_ + "/" + name_ + ".pid")); }

void AwsServer::kill_nine() {
    const int pid = process();
    ::kill(pid, SIGKILL);
    while (::kill(pid, 0) == 0) ::usleep(10'000);
}

void AwsServer::end() {
    const int pid = process();
    ::kill(pid, SIGTERM);
    while (::kill(pid, 0) == 0) ::usleep(10'000);
}

void AwsServer::start() {
    const std::string command = std::string(URR_SOURCE) + "/scripts/engines/" + name_ +
                                ".sh start '" + folder_ + "' </dev/null";
    if (std::system(command.c_str()) != 0) std::abort();
}

void AwsServer::pause(bool on) { ::kill(process(), on ? SIGSTOP : SIGCONT); }

AwsEnd::AwsEnd(const AwsServer& server, const std::string& service, std::uint16_t port)
    : AwsEnd({false, "127.0.0.1", port ? port : server.port(), "/", "", ""},
             {"AKIDURRTEST", "secret", "", never}, service) {}

AwsEnd::AwsEnd(aws::Endpoint endpoint, aws::Credentials credentials, const std::string& service)
    : loop_(make_asio_loop()), source_(aws::fixed_source(std::move(credentials))) {
    Loop::Enter in(loop_.get());
    constexpr Duration attempt = seconds(30);
    transport_ = aws::connect(*loop_, endpoint, attempt);
    cache_ = std::make_unique<aws::CredentialCache>(*source_, clock_);
    client_ = std::make_unique<aws::Client>(
        *transport_, *cache_, aws::Scope{"ap-northeast-2", service}, endpoint.host_text(), clock_,
        random_, aws::RetryRule{.attempt_timeout = attempt});
}

AwsEnd::~AwsEnd() {
    Loop::Enter in(loop_.get());
    client_.reset();
    transport_.reset();
}

void AwsEnd::run_task(Task<> task) {
    static constexpr auto to_the_end = [](Task<> given, RunLoop& loop) -> Task<> {
        co_await std::move(given);
        loop.stop();
    };
    Loop::Enter in(loop_.get());
    Nursery nursery;
    nursery.spawn(to_the_end(std::move(task), *loop_));
    loop_->run();
}

} // namespace urr
