// Access tokens of sessions that ended: who is told, and that nobody is forgotten.
#include "services/auth/auth_world.hpp"

namespace urr::auth {
namespace {

struct EndedTest : AuthWorld {
    Answer in, other; // two sign-ins of one fan
    EndedTest() {
        register_fan("fan@example.com");
        in = login("fan@example.com");
        clock.advance(seconds(1));
        other = login("fan@example.com");
    }
    Answer post(std::string path, std::string body, const Answer& by) {
        return ask(call(Method::post, std::move(path), std::move(body), principal_of(by)));
    }
    Answer logout(Answer& of) {
        return ask(call(Method::post, "/logout", "", {}, of.cookies["refresh_token"]));
    }
    // As another process that died behind its commit.
    void end_in_the_store(const Answer& of) {
        static constexpr auto end = [](AuthWorld& w, Principal who, SessionId session,
                                       bool& done) -> Task<> {
            static constexpr auto work = [](Tx& tx, AccountId account, SessionId id) {
                return end_session(tx, account, id);
            };
            done = must(co_await w.database->transact(Context{}, work, who.account, session));
        };
        bool done = false;
        Nursery nursery;
        {
            Loop::Enter in_loop(&loop);
            nursery.spawn(end(*this, principal_of(of), session_of(of), done));
        }
        while (!done && world.step()) {
        }
    }
};

TEST_F(EndedTest, tokens_name_their_session_from_the_sign_in_through_every_refresh) {
    EXPECT_FALSE(session_of(in).is_zero());
    EXPECT_NE(session_of(in), session_of(other));
    const SessionId before = session_of(in);
    Answer next = refresh(in.cookies["refresh_token"]);
    EXPECT_EQ(session_of(next), before);
    const Answer again = refresh(in.cookies["refresh_token"]); // a second tab
    EXPECT_EQ(session_of(again), before);
    EXPECT_EQ(session_of(refresh(next.cookies["refresh_token"])), before);
}

TEST_F(EndedTest, a_logout_tells_its_own_session) {
    EXPECT_EQ(logout(in).status, 204);
    EXPECT_TRUE(has_ended(in));
    EXPECT_FALSE(has_ended(other));
    EXPECT_EQ(post("/logout-everywhere", "", other).status, 204);
    EXPECT_TRUE(has_ended(other));
    EXPECT_FALSE(has_ended(login("fan@example.com")));
}

TEST_F(EndedTest, one_that_is_ended_by_its_id_is_told) {
    const std::string path = "/sessions/" + session_of(in).text();
    EXPECT_EQ(ask(call(Method::del, path, "", principal_of(other))).status, 204);
    EXPECT_TRUE(has_ended(in));
    EXPECT_FALSE(has_ended(other));
}

TEST_F(EndedTest, a_changed_password_tells_all_but_the_new_one) {
    const Answer changed =
        post("/password",
             R"({"currentPassword":"tr4mp-violet-91","newPassword":"another-violet-7"})", in);
    ASSERT_EQ(changed.status, 200);
    EXPECT_TRUE(has_ended(in));
    EXPECT_TRUE(has_ended(other));
    EXPECT_FALSE(session_of(changed).is_zero());
    EXPECT_FALSE(has_ended(changed));
}

TEST_F(EndedTest, a_password_that_is_reset_tells_all) {
    mailed_code(); // that of the registration
    EXPECT_EQ(
        ask(call(Method::post, "/password/forgotten", R"({"email":"fan@example.com"})")).status,
        204);
    const std::string body =
        R"({"token":")" + mailed_code() + R"(","password":"another-violet-7"})";
    EXPECT_EQ(ask(call(Method::post, "/password/reset", body)).status, 204);
    EXPECT_TRUE(has_ended(in));
    EXPECT_TRUE(has_ended(other));
}

TEST_F(EndedTest, a_changed_role_counts_at_once) {
    Principal admin;
    admin.account = AccountId{{1}};
    admin.role = Role::admin;
    const std::string path = "/admin/users/" + principal_of(in).account.text() + "/role";
    EXPECT_EQ(ask(call(Method::put, path, R"({"role":"staff"})", admin)).status, 200);
    EXPECT_TRUE(has_ended(in));
    EXPECT_TRUE(has_ended(other));
}

TEST_F(EndedTest, a_refresh_token_used_by_two_tells_the_family) {
    refresh(in.cookies["refresh_token"]);
    clock.advance(seconds(31));
    EXPECT_EQ(refresh(in.cookies["refresh_token"]).code(), "REFRESH_TOKEN_REUSED");
    EXPECT_TRUE(has_ended(in));
    EXPECT_FALSE(has_ended(other));
}

TEST_F(EndedTest, of_twenty_one_the_oldest_is_told) {
    for (int i = 0; i < 19; ++i) {
        EXPECT_FALSE(has_ended(in)) << i;
        clock.advance(seconds(1));
        login("fan@example.com");
    }
    EXPECT_TRUE(has_ended(in));
    EXPECT_FALSE(has_ended(other));
}

TEST_F(EndedTest, are_told_until_their_last_access_token_has_expired_and_then_forgotten) {
    const SessionId session = session_of(in);
    Answer last = refresh(in.cookies["refresh_token"]); // the youngest token that there can be
    logout(last);
    start_jobs();
    pass(minutes(30));
    EXPECT_FALSE(
        verify_token(public_keys, last.cookies["access_token"], TokenType::access, clock.now()));
    EXPECT_TRUE(ended->has_ended(session)); // clocks may differ by a minute
    pass(minutes(1) + seconds(2));
    EXPECT_TRUE(ended->known().empty());
}

// Whatever the step at which the process dies: what has ended for the store has for the next one.
TEST_F(EndedTest, a_crash_between_commit_and_telling_forgets_nobody) {
    int ended_untold = 0, living = 0;
    for (int steps = 0; steps < 40; ++steps) {
        Answer fan = login("fan@example.com");
        const SessionId session = session_of(fan);
        Call attempt = call(Method::post, "/logout", "", {}, fan.cookies["refresh_token"]);
        auto nursery = std::make_unique<Nursery>();
        begin(*nursery, attempt);
        for (int i = 0; i < steps && !attempt.done; ++i) world.step();
        if (attempt.done) break;
        {
            Loop::Enter in_loop(&loop);
            nursery.reset();
        }
        restart();
        const bool has_ended = ended->has_ended(session);
        const bool is_refused = refresh(fan.cookies["refresh_token"]).status == 401;
        EXPECT_EQ(has_ended, is_refused) << "after " << steps << " steps";
        ++(is_refused ? ended_untold : living);
    }
    EXPECT_GE(ended_untold, 1);
    EXPECT_GE(living, 1);
}

TEST_F(EndedTest, what_a_process_that_died_did_not_tell_another_tells_within_a_second) {
    start_jobs();
    pass(hours(1));
    const Answer late = login("fan@example.com");
    end_in_the_store(late);
    EXPECT_FALSE(has_ended(late));
    pass(seconds(1));
    EXPECT_TRUE(has_ended(late));
}

// Who asked, and did not learn the outcome, asks again.
TEST_F(EndedTest, a_logout_that_comes_again_tells_again) {
    end_in_the_store(in);
    EXPECT_EQ(logout(in).status, 204);
    EXPECT_TRUE(has_ended(in));
}

TEST_F(EndedTest, a_row_is_kept_while_an_access_token_may_be_about) {
    given["URR_REFRESH_SECONDS"] = "60"; // shorter than the access token's life
    restart();
    Answer brief = login("fan@example.com");
    const SessionId session = session_of(brief);
    logout(brief);
    start_jobs();
    pass(minutes(20)); // the refresh token has expired and the sweep has passed
    restart();
    EXPECT_TRUE(ended->has_ended(session));
}

} // namespace
} // namespace urr::auth
