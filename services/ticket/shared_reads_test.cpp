// Readings that many want at once.
#include "services/ticket/shared_reads.hpp"

#include <gtest/gtest.h>

#include "libs/async/sim_loop.hpp"

namespace urr::ticket {
namespace {

const EventId one{{1}}, other{{2}};

struct Reads : testing::Test {
    SimWorld world{1};
    SimLoop loop{world};
    int begun = 0, ended = 0;
    bool fails = false;
    SharedReads reads{[this](EventId) { return read(); }};
    std::vector<Code> ends; // UNAVAILABLE: what the reading said; INTERNAL: it went well

    Task<Result<void>> read() {
        ++begun;
        (void)co_await sleep(Context{}, milliseconds(10));
        ++ended;
        if (fails) co_return fail(Code::UNAVAILABLE);
        co_return Result<void>{};
    }
    Task<> ask(EventId event, Context context = {}) {
        const int before = begun;
        const auto end = co_await reads.ask(context, event);
        ends.push_back(end ? Code::INTERNAL : end.error().code());
        if (end) EXPECT_GT(ended, before) << "it began before somebody asked";
    }
};

TEST_F(Reads, of_a_herd_are_two_and_each_sees_what_was_there_when_it_asked) {
    Loop::Enter in(&loop);
    Nursery herd;
    for (int i = 0; i < 1'000; ++i) herd.spawn(ask(one));
    world.run_until(loop.now() + milliseconds(5));
    for (int i = 0; i < 1'000; ++i) herd.spawn(ask(one));
    herd.spawn(ask(other)); // waits for nobody
    world.run_until(loop.now() + milliseconds(100));
    EXPECT_EQ(ends, std::vector<Code>(2'001, Code::INTERNAL));
    EXPECT_EQ(begun, 3);
    herd.spawn(ask(one));
    world.run_until(loop.now() + milliseconds(100));
    EXPECT_EQ(begun, 4);
}

TEST_F(Reads, go_on_when_those_who_asked_first_have_left) {
    Loop::Enter in(&loop);
    Nursery first, second;
    first.spawn(ask(one));
    second.spawn(ask(one));
    first.clear();
    Context impatient;
    impatient.deadline = loop.now() + milliseconds(3);
    second.spawn(ask(one, impatient));
    world.run_until(loop.now() + milliseconds(100));
    EXPECT_EQ(ends, (std::vector<Code>{Code::DEADLINE_EXCEEDED, Code::INTERNAL}));
}

TEST_F(Reads, that_fail_tell_everybody_who_waits_and_nobody_later) {
    Loop::Enter in(&loop);
    fails = true;
    Nursery herd;
    for (int i = 0; i < 3; ++i) herd.spawn(ask(one));
    world.run_until(loop.now() + milliseconds(15));
    fails = false;
    world.run_until(loop.now() + milliseconds(100));
    EXPECT_EQ(ends, (std::vector<Code>{Code::UNAVAILABLE, Code::INTERNAL, Code::INTERNAL}));
    reads.want(one);
    world.run_until(loop.now() + milliseconds(100));
    EXPECT_EQ(ended, 3);
}

} // namespace
} // namespace urr::ticket
