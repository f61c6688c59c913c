// Stands between a client and a server: passes requests on, and answers some of them as a service
// does that is throttled or broken, late, or loses the answer of one that was done. On a thread of
// its own.
#pragma once
#include <atomic>
#include <thread>

#include "libs/core/must.hpp"
#include "libs/core/random.hpp"
#include "libs/http/client.hpp"
#include "libs/http/server.hpp"

namespace urr {

class InBetween final : public HttpHandler {
public:
    std::atomic<unsigned> throttled_permille{0}, broken_permille{0}, lost_permille{0};
    std::atomic<std::int64_t> late_ms{0};
    std::atomic<int> passed{0}, refused{0};

    explicit InBetween(std::uint16_t to) : port_to_(to) {
        {
            Loop::Enter in(loop_.get());
            server_ = must(listen_http(*loop_, "127.0.0.1", 0, *this, {}));
            client_ = connect_http(*loop_, "127.0.0.1", port_to_, {});
        }
        thread_ = std::thread([this] { loop_->run(); });
    }
    ~InBetween() override {
        loop_->stop();
        thread_.join();
        Loop::Enter in(loop_.get());
        server_.reset();
        client_.reset();
    }
    std::uint16_t port() const { return server_->port(); }

    Task<Response> handle(Context context, Request request) override {
        if (late_ms > 0) (void)co_await sleep(context, milliseconds(random_.between(0, late_ms)));
        if (random_.chance(throttled_permille))
            co_return refuse(400, R"({"__type":"x#ProvisionedThroughputExceededException"})");
        if (random_.chance(broken_permille)) co_return refuse(500, "{}");
        const bool lost = random_.chance(lost_permille);
        auto answer = co_await client_->send(context, request);
        if (!answer || lost) co_return refuse(503, "{}");
        ++passed;
        co_return std::move(*answer);
    }

private:
    Response refuse(int status, std::string body) {
        ++refused;
        return json_response(status, std::move(body));
    }

    const std::uint16_t port_to_;
    SystemRandom random_;
    std::unique_ptr<RunLoop> loop_ = make_asio_loop();
    std::unique_ptr<HttpServer> server_;
    std::unique_ptr<Transport> client_;
    std::thread thread_;
};

} // namespace urr
