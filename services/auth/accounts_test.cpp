#include "services/auth/accounts.hpp"

#include "services/auth/auth_world.hpp"

namespace urr::auth {
namespace {

struct AccountsTest : AuthWorld {
    Answer post(std::string path, std::string body, Principal principal = {}) {
        return ask(call(Method::post, std::move(path), std::move(body), principal));
    }
    Answer confirm(const std::string& code) {
        return post("/confirm", R"({"token":")" + code + R"("})");
    }
    Answer forget(const std::string& email) {
        return post("/password/forgotten", R"({"email":")" + email + R"("})");
    }
    Answer reset(const std::string& code, const std::string& password) {
        return post("/password/reset",
                    R"({"token":")" + code + R"(","password":")" + password + R"("})");
    }
    Principal make_admin() {
        static constexpr auto make = [](AuthWorld& w, std::optional<User>& out) -> Task<> {
            Passwords passwords(w.pool, w.random, {8, 1});
            out = must(co_await create_user(Context{}, *w.database, passwords, w.clock, w.random,
                                            {"admin@example.com", good_password, "Admin", {}},
                                            Role::admin));
        };
        std::optional<User> user;
        {
            Nursery nursery;
            Loop::Enter in(&loop);
            nursery.spawn(make(*this, user));
            while (!user && world.step()) {
            }
        }
        return principal_of(login("admin@example.com"));
    }
};

TEST_F(AccountsTest, have_an_address_of_their_own) {
    EXPECT_EQ(register_fan("fan@example.com").status, 201);
    const Answer again = register_fan("FAN@example.com");
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.code(), "EMAIL_TAKEN");
}

TEST_F(AccountsTest, of_two_that_register_at_once_one_is_made) {
    const std::string body =
        R"({"email":"fan@example.com","password":"tr4mp-violet-91","name":"Kim"})";
    Call both[2] = {call(Method::post, "/register", body), call(Method::post, "/register", body)};
    Nursery nursery;
    for (Call& one : both) begin(nursery, one);
    while (!(both[0].done && both[1].done) && world.step()) {
    }
    EXPECT_EQ(both[0].answer.status + both[1].answer.status, 201 + 409);
    run_jobs();
    EXPECT_EQ(mail_files().size(), 1u);
}

TEST_F(AccountsTest, refuse_what_cannot_be_registered) {
    const auto code = [&](const std::string& body) { return post("/register", body).code(); };
    EXPECT_EQ(register_fan("nowhere").code(), "VALIDATION_FAILED");
    EXPECT_EQ(register_fan("a@b.c\\r\\nBcc: x@y.z").code(), "VALIDATION_FAILED");
    EXPECT_EQ(register_fan("fan@example.com", "Password2026!").code(), "PASSWORD_TOO_WEAK");
    EXPECT_EQ(register_fan("fan@example.com", "short").code(), "PASSWORD_TOO_WEAK");
    EXPECT_EQ(code(R"({"email":"fan@example.com","password":"tr4mp-violet-91"})"),
              "VALIDATION_FAILED"); // no name
    EXPECT_EQ(code(R"({"email":"f@e.co","password":"tr4mp-violet-91","name":"K","role":"admin"})"),
              "VALIDATION_FAILED"); // nobody makes himself an admin
    EXPECT_EQ(code("{"), "BAD_REQUEST");
    EXPECT_EQ(login("fan@example.com").status, 401); // none of it made an account
    run_jobs();
    EXPECT_TRUE(mail_files().empty());
}

TEST_F(AccountsTest, are_confirmed_once_by_the_code_that_was_mailed) {
    register_fan("fan@example.com");
    const std::string code = mailed_code();
    EXPECT_EQ(confirm(std::string(43, 'A')).code(), "CONFIRMATION_INVALID");
    EXPECT_EQ(reset(code, "another-violet-7").code(), "CONFIRMATION_INVALID"); // not for that
    EXPECT_EQ(confirm(code).status, 200);
    const Answer again = confirm(code);
    EXPECT_EQ(again.status, 422);
    EXPECT_EQ(again.code(), "CONFIRMATION_INVALID");
}

TEST_F(AccountsTest, codes_expire_and_can_be_sent_again) {
    register_fan("fan@example.com");
    const std::string old = mailed_code();
    clock.advance(hours(24));
    EXPECT_EQ(confirm(old).code(), "CONFIRMATION_INVALID");
    const Principal me = principal_of(login("fan@example.com"));
    EXPECT_EQ(post("/confirm/resend", "").status, 401);
    EXPECT_EQ(post("/confirm/resend", "", me).status, 204);
    EXPECT_EQ(confirm(mailed_code()).status, 200);
    EXPECT_EQ(post("/confirm/resend", "", me).code(), "CONFLICT");
}

TEST_F(AccountsTest, a_mailbox_gets_only_so_many_mails) {
    register_fan("fan@example.com");
    const Principal me = principal_of(login("fan@example.com"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(post("/confirm/resend", "", me).status, 204);
    EXPECT_EQ(post("/confirm/resend", "", me).code(), "RATE_LIMITED");
    EXPECT_EQ(forget("fan@example.com").code(), "RATE_LIMITED");
    EXPECT_EQ(forget("other@example.com").status, 204);
}

TEST_F(AccountsTest, change_their_name_and_phone_and_nothing_else) {
    const Principal me = principal_of(fan("fan@example.com"));
    const auto change = [&](std::string body) {
        return ask(call(Method::patch, "/me", std::move(body), me));
    };
    Answer changed = change(R"({"name":"김팬","phone":"+82 10-1234-5678"})");
    EXPECT_EQ(changed.status, 200);
    EXPECT_EQ(changed.body.text_of("name"), "김팬");
    EXPECT_EQ(changed.body.text_of("phone"), "+82 10-1234-5678");
    changed = change(R"({"phone":""})");
    EXPECT_EQ(changed.body.text_of("name"), "김팬");
    EXPECT_EQ(changed.body.find("phone"), nullptr);
    EXPECT_EQ(change(R"({"role":"admin"})").code(), "VALIDATION_FAILED");
    EXPECT_EQ(change(R"({"name":""})").code(), "VALIDATION_FAILED");
    EXPECT_EQ(ask(call(Method::patch, "/me", R"({"name":"x"})")).status, 401);
}

TEST_F(AccountsTest, a_token_of_an_account_that_is_gone_is_no_sign_in) {
    Principal stranger;
    stranger.account = AccountId::make(clock.now(), random);
    stranger.role = Role::user;
    EXPECT_EQ(ask(call(Method::get, "/me", "", stranger)).code(), "UNAUTHENTICATED");
    EXPECT_EQ(ask(call(Method::get, "/me")).code(), "UNAUTHENTICATED");
}

TEST_F(AccountsTest, a_changed_password_ends_every_other_session) {
    Answer phone = fan("fan@example.com");
    Answer laptop = login("fan@example.com");
    const Principal me = principal_of(laptop);
    const auto change = [&](const std::string& before, const std::string& after) {
        return post("/password",
                    R"({"currentPassword":")" + before + R"(","newPassword":")" + after + R"("})",
                    me);
    };
    Answer wrong = change("not-the-password", "another-violet-7");
    EXPECT_EQ(wrong.code(), "VALIDATION_FAILED");
    EXPECT_EQ(change(good_password, "password").code(), "PASSWORD_TOO_WEAK");
    Answer changed = change(good_password, "another-violet-7");
    ASSERT_EQ(changed.status, 200);
    EXPECT_EQ(refresh(phone.cookies["refresh_token"]).status, 401);
    EXPECT_EQ(refresh(laptop.cookies["refresh_token"]).status, 401);
    EXPECT_EQ(refresh(changed.cookies["refresh_token"]).status, 200);
    EXPECT_EQ(login("fan@example.com").status, 401);
    EXPECT_EQ(login("fan@example.com", "another-violet-7").status, 200);
    EXPECT_EQ(post("/password", "{}").status, 401); // who it is comes before what it is
}

TEST_F(AccountsTest, guessing_ones_password_by_changing_it_is_throttled) {
    const Principal me = principal_of(fan("fan@example.com"));
    const std::string body = R"({"currentPassword":"not-it","newPassword":"another-violet-7"})";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(post("/password", body, me).status, 422);
    EXPECT_EQ(post("/password", body, me).status, 429);
}

TEST_F(AccountsTest, a_forgotten_password_is_reset_by_mail_once) {
    register_fan("fan@example.com"); // never confirmed: the mail does that too
    mailed_code();
    Answer in = login("fan@example.com");
    EXPECT_EQ(forget("fan@example.com").status, 204);
    const std::string code = mailed_code();
    EXPECT_EQ(reset(code, "password").code(), "PASSWORD_TOO_WEAK"); // and the code is still good
    EXPECT_EQ(reset(code, "another-violet-7").status, 204);
    EXPECT_EQ(reset(code, "a-third-violet-8").code(), "CONFIRMATION_INVALID");
    EXPECT_EQ(refresh(in.cookies["refresh_token"]).status, 401);
    EXPECT_EQ(login("fan@example.com").status, 401);
    in = login("fan@example.com", "another-violet-7");
    ASSERT_EQ(in.status, 200);
    EXPECT_TRUE(principal_of(in).verified);
}

TEST_F(AccountsTest, a_reset_code_lives_an_hour_and_only_the_pool_of_its_owner_is_asked) {
    fan("fan@example.com");
    forget("fan@example.com");
    const std::string code = mailed_code();
    const int works = pool.works;
    EXPECT_EQ(reset(std::string(43, 'B'), "another-violet-7").code(), "CONFIRMATION_INVALID");
    EXPECT_EQ(pool.works, works);
    clock.advance(hours(1));
    EXPECT_EQ(reset(code, "another-violet-7").code(), "CONFIRMATION_INVALID");
    EXPECT_EQ(login("fan@example.com").status, 200);
}

TEST_F(AccountsTest, an_unknown_address_is_answered_alike_and_gets_no_mail) {
    fan("fan@example.com");
    const Answer known = forget("fan@example.com"), unknown = forget("nobody@example.com");
    EXPECT_EQ(known.status, unknown.status);
    EXPECT_EQ(known.headers, unknown.headers);
    run_jobs();
    EXPECT_EQ(mail_files().size(), 1u);
    static constexpr Statement count{"SELECT count(*) FROM mailed_tokens WHERE purpose = 1"};
    EXPECT_EQ(must(database->ask(count)).integer(0, 0), 2); // the same writes, too
}

TEST_F(AccountsTest, admins_give_roles_and_nobody_else_does) {
    const Principal admin = make_admin();
    EXPECT_EQ(admin.role, Role::admin);
    EXPECT_TRUE(admin.verified);
    Answer fan_in = fan("fan@example.com");
    const Principal fan_principal = principal_of(fan_in);
    const auto give = [&](AccountId id, const char* role, Principal by) {
        return ask(call(Method::put, "/admin/users/" + id.text() + "/role",
                        std::string(R"({"role":")") + role + R"("})", by));
    };
    EXPECT_EQ(give(fan_principal.account, "admin", fan_principal).status, 403);
    EXPECT_EQ(give(fan_principal.account, "admin", {}).status, 401);
    EXPECT_EQ(give(admin.account, "user", admin).code(), "CONFLICT");
    EXPECT_EQ(give(fan_principal.account, "king", admin).code(), "VALIDATION_FAILED");
    EXPECT_EQ(give(AccountId::make(clock.now(), random), "staff", admin).status, 404);
    const Answer given_role = give(fan_principal.account, "staff", admin);
    EXPECT_EQ(given_role.status, 200);
    EXPECT_EQ(given_role.body.text_of("role"), "staff");
    EXPECT_EQ(refresh(fan_in.cookies["refresh_token"]).status, 401); // signs in anew
    EXPECT_EQ(principal_of(login("fan@example.com")).role, Role::staff);

    Call find = call(Method::get, "/admin/users", "", admin);
    find.query = "email=FAN%40example.com";
    const Answer found = ask(find);
    EXPECT_NE(found.body.find("items"), nullptr);
    EXPECT_EQ(found.body.find("items")->items.size(), 1u);
    find.principal = fan_principal;
    EXPECT_EQ(ask(find).status, 403);
}

TEST_F(AccountsTest, other_services_read_them_by_assertion_alone) {
    const Principal me = principal_of(fan("fan@example.com"));
    Call one = call(Method::get, "");
    one.path = "/internal/users/" + me.account.text();
    EXPECT_EQ(ask(one).code(), "ASSERTION_INVALID"); // the gateway may not
    one.caller = "catalog";
    const Answer found = ask(one);
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(found.body.text_of("email"), "fan@example.com");
    one.caller = "nobody";
    EXPECT_EQ(ask(one).code(), "ASSERTION_INVALID");
    one.caller = "catalog";
    one.path = "/internal/users/" + AccountId::make(clock.now(), random).text();
    EXPECT_EQ(ask(one).status, 404);

    Call batch = call(Method::post, "");
    batch.path = "/internal/users/batch";
    batch.caller = "catalog";
    batch.body = R"({"ids":[")" + me.account.text() + R"(",")" +
                 AccountId::make(clock.now(), random).text() + R"("]})";
    EXPECT_EQ(ask(batch).body.find("items")->items.size(), 1u); // those that exist
}

TEST_F(AccountsTest, the_public_keys_are_shown_and_cached) {
    Call keys = call(Method::get, "");
    keys.path = "/.well-known/jwks.json";
    const Answer shown = ask(keys);
    EXPECT_EQ(shown.status, 200);
    const JsonValue* list = shown.body.find("keys");
    ASSERT_TRUE(list && list->items.size() == 1);
    EXPECT_EQ(list->items[0].text_of("kid"), "k1");
    EXPECT_EQ(list->items[0].text_of("crv"), "Ed25519");
    EXPECT_NE(shown.headers.find("Cache-Control: public, max-age=300"), std::string::npos);
    const std::size_t at = shown.headers.find("ETag: ") + 6;
    keys.headers = {{"If-None-Match", shown.headers.substr(at, shown.headers.find('\r', at) - at)}};
    EXPECT_EQ(ask(keys).status, 304);
    keys.headers = {{"If-None-Match", "\"another\""}};
    EXPECT_EQ(ask(keys).status, 200);
}

} // namespace
} // namespace urr::auth
