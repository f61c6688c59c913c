#include "tests/engines/redis_server.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libs/async/nursery.hpp"

namespace urr {

namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::cerr << "redis for tests: " << why << "\n";
    std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        give_up("no free port");
    ::close(socket);
    return ntohs(address.sin_port);
}

int spawn(const std::vector<std::string>& words, const std::string& log) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    pid_t process = 0;
    const int error =
        ::posix_spawnp(&process, arguments[0], &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) give_up(words[0] + " cannot be started: run scripts/engines/redis.sh");
    return process;
}

} // namespace

std::string make_folder(const char* name) {
    std::string path = std::string("/tmp/urr_") + name + "_XXXXXX";
    if (!::mkdtemp(path.data())) give_up("no folder for data");
    return path;
}

const TestCertificates& test_certificates() {
    static const TestCertificates made = [] {
        const std::string folder = make_folder("certificates");
        const std::string script =
            "cd " + folder +
            " && E='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9' && "
            "openssl req -x509 $E -keyout ca.key -out ca.pem -subj /CN=urr-test-ca "
            "-addext basicConstraints=critical,CA:TRUE && "
            "openssl req $E -keyout s.key -out s.csr -subj /CN=localhost && "
            "echo subjectAltName=DNS:localhost,IP:127.0.0.1 >names && "
            "openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 "
            "-out s.pem -extfile names";
        if (std::system(("(" + script + ") >" + folder + "/log 2>&1").c_str()) != 0)
            give_up("openssl could not make certificates: " + folder + "/log");
        return TestCertificates{folder + "/ca.pem", folder + "/s.pem", folder + "/s.key"};
    }();
    return made;
}

RedisServer::RedisServer(With with)
    : with_(std::move(with)), folder_(make_folder("redis")), port_(free_port()) {
    write_configuration();
    start();
}

RedisServer::~RedisServer() {
    if (process_) kill_nine();
    std::filesystem::remove_all(folder_);
}

void RedisServer::write_configuration() const {
    std::ofstream file(folder_ + "/redis.conf");
    file << "bind 127.0.0.1\ndir " << folder_ << "\nrepl-diskless-sync-delay 0\n";
    if (with_.tls)
        file << "port 0\ntls-port " << port_ << "\ntls-cert-file "
             << test_certificates().certificate << "\ntls-key-file " << test_certificates().key
             << "\ntls-ca-cert-file " << test_certificates().ca << "\ntls-auth-clients no\n"
             << "tls-replication yes\n";
    else
        file << "port " << port_ << "\n";
    // What it has answered is written, so that kill -9 loses none of it, and no answer waits for
    // the disk of a busy machine.
    if (!with_.sentinel) file << "save \"\"\nappendonly yes\nappendfsync no\n";
    if (!with_.password.empty()) file << "requirepass " << with_.password << "\n";
    if (!with_.password.empty() && !with_.sentinel) file << "masterauth " << with_.password << "\n";
    if (with_.replica_of) file << "replicaof 127.0.0.1 " << with_.replica_of << "\n";
    for (const std::string& line : with_.more) file << line << "\n";
}

RedisOptions RedisServer::options() const {
    RedisOptions options;
    options.servers = {{"127.0.0.1", port_}};
    options.password = with_.password;
    options.tls = with_.tls;
    if (with_.tls) options.ca_file = test_certificates().ca;
    return options;
}

void RedisServer::start() {
    std::vector<std::string> words = {"redis-server", folder_ + "/redis.conf"};
    if (with_.sentinel) words.push_back("--sentinel");
    process_ = spawn(words, folder_ + "/log");
    for (int i = 0; i < 3'000; ++i) { // a minute
        if (say({"PING"}) == "PONG") return;
        if (::waitpid(process_, nullptr, WNOHANG) != 0) break;
        ::usleep(20'000);
    }
    (void)std::system(("tail -5 " + folder_ + "/log >&2").c_str());
    give_up("the server does not answer");
}

void RedisServer::kill_nine() {
    ::kill(process_, SIGKILL);
    ::waitpid(std::exchange(process_, 0), nullptr, 0);
}

void RedisServer::forget_all() { std::filesystem::remove_all(folder_ + "/appendonlydir"); }

void RedisServer::pause(bool on) { ::kill(process_, on ? SIGSTOP : SIGCONT); }

std::string RedisServer::say(const std::vector<std::string>& words) const {
    std::string command =
        "REDISCLI_AUTH='" + with_.password + "' redis-cli -p " + std::to_string(port_);
    if (with_.tls) command += " --tls --cacert " + test_certificates().ca;
    for (const std::string& word : words) command += " '" + word + "'";
    command += " 2>/dev/null";
    std::string out;
    FILE* const pipe = ::popen(command.c_str(), "r");
    char piece[4096];
    std::size_t count;
    while (pipe && (count = ::fread(piece, 1, sizeof piece, pipe)) > 0) out.append(piece, count);
    if (pipe) ::pclose(pipe);
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

void on_loop(const std::function<Task<>(RunLoop&)>& task) {
    static constexpr auto run = [](RunLoop& loop, Task<> given) -> Task<> {
        co_await std::move(given);
        loop.stop();
    };
    const auto loop = make_asio_loop(hours(1)); // a machine that is busy stalls
    Loop::Enter in(loop.get());
    Nursery nursery;
    nursery.spawn(run(*loop, task(*loop)));
    loop->run();
}

} // namespace urr
