#include "apps/urr/operator_face.hpp"

#include <gtest/gtest.h>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"

namespace urr::app {
namespace {

class Nobody final : public HttpHandler {
public:
    Task<Response> handle(Context, Request) override { co_return Response{}; }
};

struct OperatorFaceTest : testing::Test {
    std::atomic<Standing> standing{Standing::starting};
    Nobody nobody;
    OperatorFace face{"urr", nobody, {}, standing};

    Task<Result<Response>> answer(std::string_view path) {
        Request request;
        request.path = path;
        co_return co_await face.handle(Context{}, request);
    }
    Response ask(std::string_view path) {
        const auto loop = make_asio_loop();
        return must(run_to_end(*loop, answer(path)));
    }
};

TEST_F(OperatorFaceTest, is_ready_only_while_it_serves_and_its_stores_take_work) {
    EXPECT_EQ(ask("/actuator/health/readiness").status, 503);
    standing = Standing::ready;
    EXPECT_EQ(ask("/actuator/health/readiness").status, 200);
    standing = Standing::stopped;
    EXPECT_EQ(ask("/actuator/health/readiness").status, 503);
    EXPECT_EQ(ask("/actuator/health/readiness").body, R"({"status":"stopped"})");
    EXPECT_EQ(ask("/actuator/health/liveness").status, 200);
    standing = Standing::draining;
    EXPECT_EQ(ask("/actuator/health/readiness").body, R"({"status":"draining"})");
}

} // namespace
} // namespace urr::app
