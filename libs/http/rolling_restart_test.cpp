// Two copies of a service that are restarted in turn under load: nobody's request fails, not even
// one that may not be done twice.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/http/balanced.hpp"
#include "libs/http/client.hpp"
#include "libs/http/router.hpp"

namespace urr {
namespace {

struct Counting final : HttpHandler {
    int asked = 0;
    Task<Response> handle(Context context, Request request) override {
        ++asked;
        (void)co_await sleep(context, milliseconds(asked % 4));
        co_return json_response(200, std::string(request.body));
    }
};

struct Rolling {
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    Counting handler;
    std::vector<std::unique_ptr<HttpServer>> copies;
    std::unique_ptr<Transport> service;
    bool ending = false;
    int answered = 0;
    std::vector<std::string> failed;

    std::unique_ptr<HttpServer> listen(std::uint16_t port) {
        return must(listen_http(*loop, "127.0.0.1", port, handler, ServerLimits{}));
    }
};

Task<> ask(Rolling& of, int who) {
    const std::string body = "\"" + std::to_string(who) + "\"";
    while (!of.ending && of.failed.size() < 10) {
        Request request;
        request.method = Method::post;
        request.target = request.path = "/x";
        request.body = body;
        const auto answer = co_await of.service->send(Context{}, request);
        if (!answer)
            of.failed.push_back(std::string(name(answer.error().code())) + " " +
                                std::string(answer.error().text()));
        else if (answer->status != 200 || answer->body != body)
            of.failed.push_back("status " + std::to_string(answer->status));
        else
            ++of.answered;
        if (who % 3 == 0) (void)co_await sleep(Context{}, milliseconds(who % 7));
    }
}

// As long as clients use an idle connection without a look at it (libs/http/client.cpp), or until
// there is none: a copy that leaves sooner may take a request along.
constexpr Duration leaves_after = milliseconds(1200);

Task<> restart_in_turn(Rolling& of, int rounds) {
    for (int round = 0; round < rounds; ++round) {
        auto& copy = of.copies[std::size_t(round % 2)];
        const std::uint16_t port = copy->port();
        copy->retire();
        const Instant leaves = Loop::here().now() + leaves_after;
        const auto figures = copy->figures();
        while (figures->connections_open.value() > 0 && Loop::here().now() < leaves)
            (void)co_await sleep(Context{}, milliseconds(5));
        Context until;
        until.deadline = Loop::here().now() + seconds(60);
        co_await copy->drain(until);
        copy.reset();
        (void)co_await sleep(Context{}, milliseconds(20)); // it is away
        copy = of.listen(port);
        (void)co_await sleep(Context{}, milliseconds(20));
    }
    of.ending = true;
}

Task<> until_done(Task<> restarts, Nursery& askers, RunLoop& loop) {
    co_await std::move(restarts);
    (void)co_await askers.drained(Context{});
    loop.stop();
}

TEST(RollingRestart, fails_nobody_s_request) {
    Rolling of;
    Loop::Enter in(of.loop.get());
    std::vector<std::unique_ptr<Transport>> ways;
    for (int i = 0; i < 2; ++i) {
        of.copies.push_back(of.listen(0));
        ways.push_back(connect_http(*of.loop, "127.0.0.1", of.copies.back()->port(),
                                    ClientLimits{.retry_once = false}));
    }
    of.service = balance(std::move(ways));
    {
        Nursery askers, main;
        for (int who = 0; who < 40; ++who) askers.spawn(ask(of, who));
        main.spawn(until_done(restart_in_turn(of, 6), askers, *of.loop));
        of.loop->run();
    }
    EXPECT_GT(of.answered, 500);
    EXPECT_TRUE(of.failed.empty())
        << of.failed.size() << " of " << of.answered << ": " << of.failed.front();
    of.service.reset();
    of.copies.clear();
}

} // namespace
} // namespace urr
