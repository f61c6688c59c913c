#include "services/auth/auth_world.hpp"

namespace urr::auth {
namespace {

using SignIns = AuthWorld;

TEST_F(SignIns, a_fan_registers_confirms_signs_in_and_is_known) {
    const Answer made = register_fan("Fan@Example.com");
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.body.text_of("email"), "fan@example.com");
    EXPECT_FALSE(made.body.boolean_of("emailVerified"));
    EXPECT_TRUE(made.cookies.empty());

    Answer in = login("fan@example.com");
    ASSERT_EQ(in.status, 200);
    EXPECT_FALSE(principal_of(in).verified); // signed in, but may not book yet
    const std::string code = mailed_code();
    const Answer confirmed = ask(call(Method::post, "/confirm", R"({"token":")" + code + R"("})"));
    EXPECT_EQ(confirmed.status, 200);
    EXPECT_TRUE(confirmed.body.boolean_of("emailVerified"));

    in = refresh(in.cookies["refresh_token"]); // the next access token says so
    ASSERT_EQ(in.status, 200);
    const Principal me = principal_of(in);
    EXPECT_TRUE(me.verified);
    EXPECT_EQ(me.role, Role::user);
    const Answer about = ask(call(Method::get, "/me", "", me));
    EXPECT_EQ(about.body.text_of("id"), me.account.text());
    EXPECT_EQ(about.body.text_of("name"), "Kim Fan");
    EXPECT_EQ(about.body.text_of("role"), "user");
}

TEST_F(SignIns, cookies_are_out_of_reach_of_scripts_and_other_sites) {
    register_fan("fan@example.com");
    const Answer in = login("fan@example.com");
    EXPECT_NE(in.headers.find("; Max-Age=1800; HttpOnly; Secure; SameSite=Lax; Path=/\r\n"),
              std::string::npos)
        << in.headers;
    EXPECT_NE(in.headers.find(
                  "; Max-Age=604800; HttpOnly; Secure; SameSite=Strict; Path=/api/v1/auth\r\n"),
              std::string::npos)
        << in.headers;
    EXPECT_NE(in.headers.find("Cache-Control: no-store"), std::string::npos);
    const Claims claims = claims_of(in);
    EXPECT_EQ(claims.expires - claims.issued, minutes(30));
    EXPECT_EQ(claims.email, "fan@example.com");
}

TEST_F(SignIns, an_unknown_address_and_a_wrong_password_are_answered_alike) {
    register_fan("fan@example.com");
    const int before = pool.works;
    const Answer wrong = login("fan@example.com", "not-the-password");
    const int for_wrong = pool.works - before;
    const Answer unknown = login("nobody@example.com", "not-the-password");
    EXPECT_EQ(pool.works - before - for_wrong, for_wrong); // the same work
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.code(), "LOGIN_FAILED");
    EXPECT_EQ(unknown.status, wrong.status);
    EXPECT_EQ(unknown.code(), wrong.code());
    EXPECT_EQ(unknown.headers, wrong.headers);
}

TEST_F(SignIns, wrong_passwords_are_throttled_per_account) {
    register_fan("fan@example.com");
    register_fan("other@example.com");
    int address = 0; // each try from somewhere else
    const auto try_at = [&](const char* email, const char* password) {
        return login(email, password, "198.51.100." + std::to_string(++address));
    };
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(try_at("fan@example.com", "not-the-password").code(), "LOGIN_FAILED") << i;
    const int works = pool.works;
    const Answer refused = try_at("fan@example.com", good_password);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.code(), "RATE_LIMITED");
    EXPECT_NE(refused.headers.find("Retry-After: 60"), std::string::npos) << refused.headers;
    EXPECT_EQ(pool.works, works); // it costs nothing
    EXPECT_EQ(try_at("other@example.com", good_password).status, 200);
    EXPECT_EQ(try_at("nobody@example.com", good_password).status, 401);
    pass(seconds(60));
    EXPECT_EQ(try_at("fan@example.com", good_password).status, 200);
}

TEST_F(SignIns, an_account_that_does_not_exist_is_throttled_like_one_that_does) {
    for (int i = 0; i < 10; ++i)
        login("nobody@example.com", "x", "198.51.100." + std::to_string(i));
    EXPECT_EQ(login("nobody@example.com", "x", "198.51.100.99").status, 429);
}

TEST_F(SignIns, wrong_passwords_are_throttled_per_address) {
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(login("a" + std::to_string(i) + "@example.com", "x").status, 401);
    EXPECT_EQ(login("b@example.com", "x").status, 429);
    EXPECT_EQ(login("b@example.com", "x", "198.51.100.1").status, 401);
    pass(seconds(1));
    EXPECT_EQ(login("b@example.com", "x").status, 401);
}

TEST_F(SignIns, right_passwords_do_not_count) {
    register_fan("fan@example.com");
    for (int i = 0; i < 30; ++i) EXPECT_EQ(login("fan@example.com").status, 200) << i;
}

TEST_F(SignIns, a_full_pool_is_said_and_no_try_is_lost) {
    register_fan("fan@example.com");
    pool.full = true;
    for (int i = 0; i < 20; ++i) {
        const Answer refused = login("fan@example.com");
        EXPECT_EQ(refused.status, 503);
        EXPECT_EQ(refused.code(), "OVERLOADED");
        EXPECT_NE(refused.headers.find("Retry-After: 1"), std::string::npos);
    }
    pool.full = false;
    EXPECT_EQ(login("fan@example.com").status, 200);
}

TEST_F(SignIns, a_password_kept_under_an_older_cost_is_kept_anew) {
    register_fan("fan@example.com");
    given["URR_PASSWORD_MEMORY_KIB"] = "16";
    restart();
    const int before = pool.works;
    EXPECT_EQ(login("fan@example.com").status, 200);
    EXPECT_EQ(pool.works - before, 2);
    EXPECT_EQ(login("fan@example.com").status, 200);
    EXPECT_EQ(pool.works - before, 3); // nothing more to do
}

TEST_F(SignIns, of_twenty_one_the_oldest_ends) {
    register_fan("fan@example.com");
    std::vector<Answer> all;
    for (int i = 0; i < 21; ++i) {
        all.push_back(login("fan@example.com"));
        clock.advance(seconds(1));
    }
    EXPECT_EQ(refresh(all[0].cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(refresh(all[1].cookies["refresh_token"]).status, 200);
}

TEST_F(SignIns, are_listed_and_can_be_ended_one_by_one) {
    register_fan("fan@example.com");
    register_fan("other@example.com");
    Answer phone = login("fan@example.com");
    clock.advance(seconds(1));
    Answer laptop = login("fan@example.com");
    const Principal me = principal_of(laptop);
    const auto list = [&] {
        return ask(call(Method::get, "/sessions", "", me, laptop.cookies["refresh_token"]));
    };
    Answer listed = list();
    const JsonValue* items = listed.body.find("items");
    ASSERT_TRUE(items && items->items.size() == 2);
    EXPECT_TRUE(items->items[0].boolean_of("current"));
    EXPECT_FALSE(items->items[1].boolean_of("current"));
    const std::string id(items->items[1].text_of("id"));

    const Principal foreign = principal_of(login("other@example.com"));
    EXPECT_EQ(ask(call(Method::del, "/sessions/" + id, "", foreign)).status, 404);
    EXPECT_EQ(ask(call(Method::del, "/sessions/" + id, "", me)).status, 204);
    EXPECT_EQ(ask(call(Method::del, "/sessions/" + id, "", me)).status, 404);
    EXPECT_EQ(refresh(phone.cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(refresh(laptop.cookies["refresh_token"]).status, 200);
}

TEST_F(SignIns, end_with_a_logout_here_or_everywhere) {
    register_fan("fan@example.com");
    Answer phone = login("fan@example.com"), laptop = login("fan@example.com");
    const Answer out = ask(call(Method::post, "/logout", "", {}, phone.cookies["refresh_token"]));
    EXPECT_EQ(out.status, 204);
    EXPECT_EQ(out.cookies.at("access_token"), "");
    EXPECT_EQ(out.cookies.at("refresh_token"), "");
    EXPECT_EQ(refresh(phone.cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
    EXPECT_EQ(refresh(laptop.cookies["refresh_token"]).status, 200);
    EXPECT_EQ(ask(call(Method::post, "/logout")).status, 204); // nobody there: nothing to do

    Answer tablet = login("fan@example.com");
    EXPECT_EQ(ask(call(Method::post, "/logout-everywhere")).status, 401);
    EXPECT_EQ(ask(call(Method::post, "/logout-everywhere", "", principal_of(tablet))).status, 204);
    EXPECT_EQ(refresh(tablet.cookies["refresh_token"]).code(), "REFRESH_TOKEN_INVALID");
}

} // namespace
} // namespace urr::auth
