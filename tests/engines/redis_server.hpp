// For the tests with a real Redis: a server of one's own on loopback, in a folder of its own, that
// can be killed, emptied, stopped and started again. A server that cannot start fails the test.
//
//     RedisServer server({.tls = true, .password = "secret"});
//     on_loop([&](RunLoop& loop) -> Task<> { auto redis = connect_redis(loop, …); … });
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "libs/core/must.hpp"
#include "libs/core/random.hpp"
#include "libs/redis/redis.hpp"

namespace urr {

class RedisServer {
public:
    struct With {
        bool tls = false;
        std::string password = {};
        std::uint16_t replica_of = 0;
        std::vector<std::string> more = {}; // lines of its configuration
        bool sentinel = false;
    };
    RedisServer() : RedisServer(With{}) {}
    explicit RedisServer(With with);
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;
    ~RedisServer();

    std::uint16_t port() const { return port_; }
    RedisOptions options() const;
    // On the same port and data; returns when it answers.
    void start();
    void kill_nine();
    // Its files, while it does not run.
    void forget_all();
    // Holds all its threads (SIGSTOP) and lets them go on.
    void pause(bool on);
    // One command by redis-cli: what it prints.
    std::string say(const std::vector<std::string>& words) const;
    const std::string& folder() const { return folder_; }

private:
    void write_configuration() const;
    With with_;
    std::string folder_;
    std::uint16_t port_ = 0;
    int process_ = 0;
};

// A certificate authority and a certificate for localhost and 127.0.0.1 signed by it, made once.
struct TestCertificates {
    std::string ca, certificate, key;
};
const TestCertificates& test_certificates();
std::string make_folder(const char* name);

// Runs a task on a fresh loop of this thread to its end.
void on_loop(const std::function<Task<>(RunLoop&)>& task);

} // namespace urr
