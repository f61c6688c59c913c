#include "services/auth/jobs/mailer.hpp"

#include "services/auth/auth_world.hpp"

namespace urr::auth {
namespace {

struct MailerTest : AuthWorld {
    std::size_t due() {
        static constexpr Statement count{
            "SELECT count(*) FROM mailed_tokens WHERE due_us IS NOT NULL"};
        return std::size_t(must(database->ask(count)).integer(0, 0));
    }
};

TEST_F(MailerTest, mails_are_complete_and_private_files) {
    given["URR_SITE"] = "https://urr.example";
    restart();
    register_fan("fan@example.com");
    run_jobs();
    const auto mails_there = mail_files();
    ASSERT_EQ(mails_there.size(), 1u);
    const std::string& mail = mails_there.front();
    EXPECT_NE(mail.find("From: URR <no-reply@urr.example>\r\nTo: fan@example.com\r\n"),
              std::string::npos);
    EXPECT_NE(mail.find("Subject: =?UTF-8?B?VVJSI"), std::string::npos) << mail;
    EXPECT_NE(mail.find("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"), std::string::npos) << mail;
    EXPECT_NE(mail.find("https://urr.example/confirm#" + code_of(mail)), std::string::npos) << mail;
    EXPECT_EQ(mail.find("Kim Fan"), std::string::npos); // nobody writes to a stranger through us
    const auto file = *std::filesystem::directory_iterator(outbox());
    EXPECT_EQ(file.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// Whatever the step at which the process dies, the mail is there in the end, once, and its code is
// good.
TEST_F(MailerTest, a_crash_at_any_step_loses_no_mail_and_doubles_none) {
    int written_and_not_noted = 0;
    for (int steps = 0; steps < 30; ++steps) {
        const std::string email = "fan" + std::to_string(steps) + "@example.com";
        register_fan(email);
        start_jobs();
        for (int i = 0; i < steps; ++i) world.step();
        restart();
        written_and_not_noted += !mail_files().empty() && due() == 1;
        pass(seconds(15)); // what was in hand comes again
        run_jobs();
        EXPECT_EQ(due(), 0u) << "after " << steps << " steps";
        const auto texts = mail_files();
        std::filesystem::remove_all(outbox());
        ASSERT_EQ(texts.size(), 1u) << "after " << steps << " steps";
        EXPECT_EQ(ask(call(Method::post, "/confirm", R"({"token":")" + code_of(texts[0]) + R"("})"))
                      .body.text_of("email"),
                  email);
    }
    EXPECT_GE(written_and_not_noted, 1); // the instant that matters was among them
}

TEST_F(MailerTest, what_cannot_be_written_is_tried_again_with_growing_pauses) {
    std::ofstream(outbox()) << "a file where the folder should be";
    register_fan("fan@example.com");
    run_jobs();
    EXPECT_EQ(due(), 1u);
    pass(seconds(10));
    run_jobs();
    EXPECT_EQ(due(), 1u);
    std::filesystem::remove(outbox());
    pass(seconds(10));
    run_jobs();
    EXPECT_EQ(due(), 1u); // the pause has doubled
    pass(seconds(10));
    run_jobs();
    EXPECT_EQ(due(), 0u);
    EXPECT_EQ(mail_files().size(), 1u);
}

TEST_F(MailerTest, what_has_expired_or_was_used_is_not_written) {
    register_fan("fan@example.com");
    clock.advance(hours(24));
    run_jobs();
    EXPECT_TRUE(mail_files().empty());
}

TEST_F(MailerTest, a_crowd_of_mails_goes_out) {
    given["URR_LOGIN_ADDRESS_TRIES"] = "1000";
    restart();
    for (int i = 0; i < 50; ++i)
        ASSERT_EQ(register_fan("fan" + std::to_string(i) + "@example.com").status, 201);
    run_jobs();
    EXPECT_EQ(mail_files().size(), 50u);
}

} // namespace
} // namespace urr::auth
