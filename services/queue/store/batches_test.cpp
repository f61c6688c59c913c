#include "services/queue/store/batches.hpp"

#include <gtest/gtest.h>

#include "libs/async/sim_loop.hpp"

namespace urr::queue {
namespace {

constexpr Duration call_time = milliseconds(1);
constexpr BatchBounds bounds{.items = 4, .under_way = 2, .waiting = 9, .patience = seconds(2)};

// Steps that are numbers; an odd one is refused. A call takes a millisecond.
struct BatchesTest : testing::Test {
    struct Call {
        std::vector<int> items;
        std::string life;
        bool operator==(const Call&) const = default;
    };
    using Steps = Batches<int, int>;

    SimWorld world{1};
    SimLoop loop{world};
    Loop::Enter in{&loop};
    std::vector<Call> calls;
    std::size_t under_way = 0, most = 0;
    Result<> failure;
    Life life = std::make_shared<const std::string>("first");
    std::map<int, Result<int>> answers;
    Steps steps{bounds, [this](Context, Life of, std::vector<int> items) {
                    return call(*this, std::move(of), std::move(items));
                }};
    Nursery callers;

    static Task<Steps::Outcomes> call(BatchesTest& of, Life life, std::vector<int> items) {
        of.calls.push_back({items, life ? *life : "-"});
        of.most = std::max(of.most, ++of.under_way);
        (void)co_await sleep(Context{}, call_time);
        --of.under_way;
        if (!of.failure) co_return fail(of.failure.error().clone());
        std::vector<Result<int>> outcomes;
        for (const int item : items) {
            if (item % 2)
                outcomes.push_back(fail(Code::ROOM_CHANGED));
            else
                outcomes.push_back(item * 10);
        }
        co_return outcomes;
    }
    static Task<> ask(BatchesTest& of, int item, Life life, Context context) {
        auto answer = co_await of.steps.ask(context, std::move(life), item);
        of.answers.emplace(item, std::move(answer));
    }
    void send(int item, Duration time = seconds(1)) {
        Context context;
        context.deadline = loop.now() + time;
        callers.spawn(ask(*this, item, life, context));
    }
    void pass(Duration time) { world.run_until(world.now() + time); }
    int value(int item) { return answers.at(item).value_or(-1); }
    Code code(int item) {
        const Result<int>& answer = answers.at(item);
        return answer ? Code::INTERNAL : answer.error().code();
    }
};

TEST_F(BatchesTest, send_a_single_one_in_its_turn_and_those_of_one_turn_together) {
    send(2);
    pass(Duration{});
    EXPECT_EQ(calls, (std::vector<Call>{{{2}, "first"}}));
    // While that is under way the others gather, until they are a call.
    send(4);
    send(5);
    pass(Duration{});
    EXPECT_EQ(calls.size(), 1u);
    pass(call_time * 3);
    EXPECT_EQ(calls.at(1), (Call{{4, 5}, "first"}));
    EXPECT_EQ(value(2), 20);
    EXPECT_EQ(value(4), 40);
    EXPECT_EQ(code(5), Code::ROOM_CHANGED);
}

TEST_F(BatchesTest, of_a_crowd_are_full_calls_in_their_order_a_few_under_way_and_the_rest_refused) {
    for (int i = 0; i < 11; ++i) send(i * 2);
    EXPECT_EQ(code(18), Code::OVERLOADED);
    EXPECT_EQ(code(20), Code::OVERLOADED);
    pass(call_time * 5);
    EXPECT_EQ(calls, (std::vector<Call>{
                         {{0, 2, 4, 6}, "first"}, {{8, 10, 12, 14}, "first"}, {{16}, "first"}}));
    EXPECT_EQ(most, 2u);
    EXPECT_EQ(value(16), 160);
}

TEST_F(BatchesTest, leave_out_whose_time_is_over_and_whoever_asks_no_more) {
    send(2, call_time / 2); // sent, and not answered in time
    pass(Duration{});
    send(4, call_time / 2);
    send(6);
    Nursery leaving;
    leaving.spawn(ask(*this, 8, life, Context{}));
    leaving.clear();
    pass(call_time * 3);
    EXPECT_EQ(code(2), Code::OUTCOME_UNKNOWN);
    EXPECT_EQ(code(4), Code::DEADLINE_EXCEEDED);
    EXPECT_EQ(calls.at(1), (Call{{6}, "first"}));
    EXPECT_EQ(value(6), 60);
    EXPECT_FALSE(answers.contains(8));
}

TEST_F(BatchesTest, of_two_lives_do_not_go_together) {
    send(2);
    life = std::make_shared<const std::string>("second");
    send(4);
    send(6);
    pass(call_time * 5);
    EXPECT_EQ(calls, (std::vector<Call>{{{2}, "first"}, {{4, 6}, "second"}}));
}

TEST_F(BatchesTest, all_have_the_error_of_their_call_and_the_next_goes_out) {
    failure = fail(Code::UNAVAILABLE);
    send(2);
    send(4);
    pass(call_time * 2);
    EXPECT_EQ(code(2), Code::UNAVAILABLE);
    EXPECT_EQ(code(4), Code::UNAVAILABLE);
    failure = {};
    send(6);
    pass(call_time * 2);
    EXPECT_EQ(value(6), 60);
}

} // namespace
} // namespace urr::queue
