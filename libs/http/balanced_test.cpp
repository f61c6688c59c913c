// Balanced over copies that the test turns by hand.
#include "libs/http/balanced.hpp"

#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/http/breaker.hpp"

namespace urr {
namespace {

struct FakeCopy final : Transport {
    int asked = 0;
    std::optional<Code> fails;
    bool leaves = false;
    Task<Result<Response>> send(Context, Request) override {
        ++asked;
        if (fails) co_return fail(*fails);
        Response response = json_response(200, "{}");
        response.is_last = leaves;
        co_return response;
    }
};

struct BalancedTest : testing::Test {
    SimWorld world{3};
    SimLoop loop{world};
    FakeCopy *first = nullptr, *second = nullptr;
    std::unique_ptr<Transport> service;
    Nursery nursery;

    BalancedTest() {
        std::vector<std::unique_ptr<Transport>> copies;
        for (FakeCopy** copy : {&first, &second}) {
            auto made = std::make_unique<FakeCopy>();
            *copy = made.get();
            copies.push_back(std::move(made));
        }
        service = balance(std::move(copies));
    }
    ~BalancedTest() override {
        Loop::Enter in(&loop);
        nursery.clear();
    }
    // 0: an answer; otherwise the error.
    std::optional<Code> ask(Method method = Method::get, bool keyed = false) {
        static constexpr auto body = [](Transport& to, Request request, bool& ended,
                                        std::optional<Code>& code) -> Task<> {
            const auto answer = co_await to.send(Context{}, request);
            if (!answer) code = answer.error().code();
            ended = true;
        };
        Request request;
        request.method = method;
        request.target = request.path = "/x";
        if (keyed) request.add_header("Idempotency-Key", "k");
        std::optional<Code> code;
        bool ended = false;
        {
            Loop::Enter in(&loop);
            nursery.spawn(body(*service, request, ended, code));
        }
        world.run_until(world.now() + milliseconds(1));
        EXPECT_TRUE(ended);
        return code;
    }
};

TEST_F(BalancedTest, copies_are_asked_in_turn) {
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(ask());
    EXPECT_EQ(first->asked, 5);
    EXPECT_EQ(second->asked, 5);
}

TEST_F(BalancedTest, a_dead_copy_costs_nobody_anything_and_is_left_alone) {
    first->fails = Code::UNAVAILABLE;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(ask(Method::post));
    EXPECT_EQ(first->asked, Breaker::failures_max);
    EXPECT_EQ(second->asked, 100);
}

TEST_F(BalancedTest, a_copy_that_is_back_is_asked_again) {
    first->fails = Code::UNAVAILABLE;
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(ask());
    first->fails = {};
    world.run_until(world.now() + Breaker::pause);
    const int before = first->asked;
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(ask());
    EXPECT_EQ(first->asked, before + 10);
}

TEST_F(BalancedTest, a_write_that_may_be_done_is_repeated_only_where_that_does_no_harm) {
    first->fails = second->fails = Code::OUTCOME_UNKNOWN;
    EXPECT_EQ(ask(Method::post), Code::OUTCOME_UNKNOWN);
    EXPECT_EQ(first->asked + second->asked, 1);
    EXPECT_EQ(ask(Method::post, true), Code::OUTCOME_UNKNOWN);
    EXPECT_EQ(first->asked + second->asked, 3) << "with a key it goes on";
    EXPECT_EQ(ask(Method::put), Code::OUTCOME_UNKNOWN);
    EXPECT_EQ(first->asked + second->asked, 5);
}

TEST_F(BalancedTest, what_took_too_long_is_not_asked_again) {
    first->fails = second->fails = Code::DEADLINE_EXCEEDED;
    EXPECT_EQ(ask(), Code::DEADLINE_EXCEEDED);
    EXPECT_EQ(first->asked + second->asked, 1);
}

TEST_F(BalancedTest, with_all_copies_left_out_they_are_asked_nevertheless) {
    first->fails = second->fails = Code::UNAVAILABLE;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(), Code::UNAVAILABLE);
    second->fails = {};
    EXPECT_FALSE(ask()) << "without waiting for a pause to end";
}

TEST_F(BalancedTest, a_copy_that_is_about_to_go_is_spared_while_another_is_there) {
    first->leaves = true;
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(ask());
    EXPECT_EQ(first->asked, 1);
    second->fails = Code::UNAVAILABLE;
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(ask()) << "it still serves";
    EXPECT_EQ(first->asked, 21);
}

} // namespace
} // namespace urr
