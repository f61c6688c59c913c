#include "libs/http/client.hpp"

namespace urr {

namespace {

class Loopback final : public Transport {
public:
    explicit Loopback(HttpHandler& handler) : handler_(handler) {}
    Task<Result<Response>> send(Context context, Request request) override {
        co_return co_await handler_.handle(context, request);
    }

private:
    HttpHandler& handler_;
};

} // namespace

std::unique_ptr<Transport> loopback(HttpHandler& handler) {
    return std::make_unique<Loopback>(handler);
}

} // namespace urr
