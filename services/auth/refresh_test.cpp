#include "services/auth/auth_world.hpp"

namespace urr::auth {
namespace {

struct RefreshTest : AuthWorld {
    Answer in;
    RefreshTest() {
        register_fan("fan@example.com");
        in = login("fan@example.com");
    }
    std::string first() { return in.cookies["refresh_token"]; }
};

TEST_F(RefreshTest, each_use_gives_the_next_token) {
    std::string token = first();
    for (int i = 0; i < 5; ++i) {
        clock.advance(hours(24 * 6)); // used within its week it goes on
        Answer next = refresh(token);
        ASSERT_EQ(next.status, 200) << i;
        EXPECT_NE(next.cookies["refresh_token"], token);
        EXPECT_EQ(principal_of(next).account, principal_of(next).account);
        token = next.cookies["refresh_token"];
    }
    clock.advance(hours(24 * 7));
    const Answer late = refresh(token);
    EXPECT_EQ(late.status, 401);
    EXPECT_EQ(late.code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(late.cookies.at("refresh_token"), ""); // the browser forgets it
}

TEST_F(RefreshTest, two_tabs_at_once_get_the_same_successor) {
    Call tabs[2] = {call(Method::post, "/refresh", "", {}, first()),
                    call(Method::post, "/refresh", "", {}, first())};
    Nursery nursery;
    for (Call& tab : tabs) begin(nursery, tab);
    while (!(tabs[0].done && tabs[1].done) && world.step()) {
    }
    ASSERT_EQ(tabs[0].answer.status, 200);
    ASSERT_EQ(tabs[1].answer.status, 200);
    EXPECT_EQ(tabs[0].answer.cookies["refresh_token"], tabs[1].answer.cookies["refresh_token"]);
    clock.advance(seconds(30));
    Answer third = refresh(first());
    EXPECT_EQ(third.cookies["refresh_token"], tabs[0].answer.cookies["refresh_token"]);
    EXPECT_EQ(refresh(third.cookies["refresh_token"]).status, 200); // and it is good
}

TEST_F(RefreshTest, a_spent_token_after_its_grace_ends_the_family) {
    Answer next = refresh(first());
    clock.advance(seconds(31));
    const Answer reused = refresh(first());
    EXPECT_EQ(reused.status, 401);
    EXPECT_EQ(reused.code(), "REFRESH_TOKEN_REUSED");
    EXPECT_EQ(refresh(next.cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
    restart(); // it is written, not remembered
    EXPECT_EQ(refresh(next.cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(login("fan@example.com").status, 200); // another sign-in is another family
}

TEST_F(RefreshTest, other_families_are_not_touched) {
    Answer other = login("fan@example.com");
    refresh(first());
    clock.advance(seconds(31));
    EXPECT_EQ(refresh(first()).code(), "REFRESH_TOKEN_REUSED");
    EXPECT_EQ(refresh(other.cookies["refresh_token"]).status, 200);
}

// Whatever the step at which the process dies: who asks again with the token that he has gets on,
// and a successor that was told is the one that is told again.
TEST_F(RefreshTest, a_crash_at_any_step_costs_nobody_the_session) {
    std::string token = first();
    int finished = 0, lost = 0;
    for (int steps = 0; steps < 40 && finished < 5; ++steps) {
        Call attempt = call(Method::post, "/refresh", "", {}, token);
        auto nursery = std::make_unique<Nursery>();
        begin(*nursery, attempt);
        for (int i = 0; i < steps && !attempt.done; ++i) world.step();
        {
            Loop::Enter in_loop(&loop);
            nursery.reset();
        }
        restart();
        Answer again = refresh(token);
        ASSERT_EQ(again.status, 200) << "after " << steps << " steps";
        if (attempt.done) {
            ++finished;
            EXPECT_EQ(again.cookies["refresh_token"], attempt.answer.cookies["refresh_token"]);
        } else {
            ++lost;
        }
        token = again.cookies["refresh_token"];
    }
    EXPECT_EQ(finished, 5);
    EXPECT_GE(lost, 1);
}

TEST_F(RefreshTest, what_was_never_given_is_refused) {
    for (const std::string& token : {std::string(43, 'A'), std::string("x"), std::string(5000, 'a'),
                                     in.cookies["access_token"]})
        EXPECT_EQ(refresh(token).code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(ask(call(Method::post, "/refresh")).code(), "REFRESH_TOKEN_INVALID");
}

TEST_F(RefreshTest, spent_tokens_of_a_session_are_bounded) {
    std::string token = first();
    for (int i = 0; i < 1'050; ++i) {
        Answer next = refresh(token);
        ASSERT_EQ(next.status, 200);
        token = next.cookies["refresh_token"];
    }
    static constexpr Statement count{"SELECT count(*) FROM refresh_tokens"};
    EXPECT_LE(must(database->ask(count)).integer(0, 0), generations_kept);
}

TEST_F(RefreshTest, what_has_expired_is_swept) {
    refresh(first());
    clock.advance(hours(24 * 8));
    start_jobs();
    world.run_until(world.now() + seconds(61));
    static constexpr Statement count{"SELECT (SELECT count(*) FROM refresh_tokens), "
                                     "(SELECT count(*) FROM sessions), "
                                     "(SELECT count(*) FROM mailed_tokens)"};
    const Rows rows = must(database->ask(count));
    for (std::size_t column = 0; column < 3; ++column) EXPECT_EQ(rows.integer(0, column), 0);
}

// Passwords, refresh tokens and mailed codes are in no file of the store.
TEST_F(RefreshTest, the_store_holds_no_secret) {
    Answer next = refresh(first());
    const std::string code = mailed_code();
    stop();
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    start();
    ASSERT_NE(all.find("fan@example.com"), std::string::npos);
    for (const std::string& secret :
         {std::string(good_password), first(), next.cookies["refresh_token"], code})
        EXPECT_EQ(all.find(secret), std::string::npos);
}

} // namespace
} // namespace urr::auth
