// For the tests against AWS's stand-ins (DynamoDB Local, ElasticMQ, versitygw): a server that ctest
// started by scripts/engines/NAME.sh, reached by a client of ours on a loop of one's own. A server
// that is not there ends the test.
//
//     AwsServer server("dynamodb", "URR_TEST_DYNAMODB");
//     AwsEnd end(server, "dynamodb");
//     Answer answer = must(end.run(end.client().json(end.within(seconds(5)), target, body)));
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "libs/async/nursery.hpp"
#include "libs/aws/client.hpp"
#include "libs/aws/endpoint.hpp"
#include "libs/core/must.hpp"

namespace urr {

class AwsServer {
public:
    // `variable` names the folder that the script was given.
    AwsServer(std::string name, const char* variable);
    const std::string& folder() const { return folder_; }
    std::uint16_t port() const { return port_; }
    // On the same port and data; return when it is done.
    void kill_nine();
    void end(); // by SIGTERM
    void start();
    // Holds all its threads (SIGSTOP) and lets them go on.
    void pause(bool on);

private:
    int process() const;
    std::string name_, folder_;
    std::uint16_t port_ = 0;
};

// One process's way to a server: a loop, a transport, credentials and a client. `port`: of
// something in between.
class AwsEnd {
public:
    // One attempt may last half a minute: a poll of twenty seconds fits in, and a busy machine.
    AwsEnd(const AwsServer& server, const std::string& service, std::uint16_t port = 0);
    AwsEnd(aws::Endpoint endpoint, aws::Credentials credentials, const std::string& service);
    ~AwsEnd();

    RunLoop& loop() { return *loop_; }
    aws::Client& client() { return *client_; }
    Clock& clock() { return clock_; }
    Random& random() { return random_; }
    Context within(Duration span) const {
        Context context;
        context.deadline = loop_->now() + span;
        return context;
    }
    template <class T>
    Result<T> run(Task<Result<T>> task) {
        std::optional<Result<T>> out;
        run_task(keep(std::move(task), out));
        return std::move(*out);
    }
    void run_task(Task<> task);

private:
    template <class T>
    static Task<> keep(Task<Result<T>> task, std::optional<Result<T>>& out) {
        out.emplace(co_await std::move(task));
    }

    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<RunLoop> loop_;
    std::unique_ptr<Transport> transport_;
    std::unique_ptr<aws::CredentialSource> source_;
    std::unique_ptr<aws::CredentialCache> cache_;
    std::unique_ptr<aws::Client> client_;
};

} // namespace urr
