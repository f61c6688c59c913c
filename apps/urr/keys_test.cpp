#include "apps/urr/keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "libs/core/must.hpp"
#include "libs/core/random.hpp"

namespace urr::app {
namespace {

namespace fs = std::filesystem;

struct Keys : testing::Test {
    std::string folder = (fs::temp_directory_path() /
                          ("urr_keys_" + std::to_string(::getpid()) +
                           testing::UnitTest::GetInstance()->current_test_info()->name()))
                             .string();
    const Instant now{1'800'000'000'000'000};

    Keys() { must(make_keys(folder)); }
    ~Keys() override { fs::remove_all(folder); }

    std::string token_signed_now() {
        Claims claims;
        claims.subject = AccountId{{1}};
        claims.issued = now;
        claims.expires = now + hours(48);
        claims.role = Role::user;
        claims.email = "a@b.example";
        return sign_token(must(signing_key(folder, TokenType::access)), claims);
    }
    bool verifies(const std::string& token, Instant at) {
        return verify_token(must(public_keys(folder, {TokenType::access})), token,
                            TokenType::access, at)
            .has_value();
    }
};

TEST_F(Keys, are_made_once_and_for_their_owner_alone) {
    const std::string before = token_signed_now();
    EXPECT_EQ(must(make_keys(folder)), 0);
    EXPECT_EQ(token_signed_now(), before);
    for (const auto& file : fs::directory_iterator(folder + "/keys"))
        EXPECT_EQ(fs::status(file).permissions() & fs::perms(077), fs::perms::none) << file;
    EXPECT_TRUE(key_faults(folder).empty());
}

TEST_F(Keys, that_were_left_empty_are_made_again) {
    const std::string receipt = folder + "/keys/receipt.key", access = folder + "/keys/access.key";
    fs::resize_file(receipt, 0);
    fs::resize_file(access, 0);
    EXPECT_FALSE(key_faults(folder).empty());
    EXPECT_EQ(must(make_keys(folder)), 2);
    EXPECT_TRUE(key_faults(folder).empty());
    EXPECT_TRUE(verifies(token_signed_now(), now));
}

TEST_F(Keys, that_are_damaged_are_not_overwritten) {
    const std::string receipt = folder + "/keys/receipt.key";
    fs::resize_file(receipt, 7);
    EXPECT_EQ(must(make_keys(folder)), 0);
    EXPECT_EQ(fs::file_size(receipt), 7u) << "somebody may still mend it from a backup";
}

// Killed at any instant of the making, every key is whole or missing, and the next run makes what
// is missing.
TEST(KeyFiles, a_kill_at_any_instant_leaves_no_broken_key) {
    const std::string folder =
        (fs::temp_directory_path() / ("urr_key_kill_" + std::to_string(::getpid()))).string();
    SeededRandom random(11);
    for (int round = 0; round < 40; ++round) {
        fs::remove_all(folder);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            (void)make_keys(folder);
            ::_exit(0);
        }
        ::usleep(useconds_t(random.below(15'000)));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        if (fs::exists(folder + "/keys"))
            for (const auto& file : fs::directory_iterator(folder + "/keys"))
                if (file.path().extension() == ".key") EXPECT_EQ(file.file_size(), 44u) << file;
        must(make_keys(folder));
        EXPECT_TRUE(key_faults(folder).empty()) << round;
    }
    fs::remove_all(folder);
}

TEST_F(Keys, who_has_the_public_half_alone_verifies) {
    const std::string token = token_signed_now();
    fs::remove(folder + "/keys/access.key");
    EXPECT_TRUE(verifies(token, now));
    EXPECT_FALSE(signing_key(folder, TokenType::access));
}

TEST_F(Keys, a_rotated_key_counts_for_another_day) {
    const std::string before = token_signed_now();
    must(rotate_key(folder, TokenType::access, now));
    const std::string after = token_signed_now();
    EXPECT_NE(before, after);
    EXPECT_TRUE(verifies(after, now));
    EXPECT_TRUE(verifies(before, now + hours(23)));
    EXPECT_FALSE(verifies(before, now + hours(24)));
    EXPECT_TRUE(verifies(after, now + hours(24)));
}

TEST_F(Keys, a_second_rotation_within_the_day_is_refused_and_changes_nothing) {
    must(rotate_key(folder, TokenType::access, now));
    const std::string token = token_signed_now();
    const auto again = rotate_key(folder, TokenType::access, now + hours(23));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Code::CONFLICT);
    EXPECT_EQ(token_signed_now(), token);
    EXPECT_TRUE(rotate_key(folder, TokenType::access, now + hours(24)));
}

TEST_F(Keys, a_rotation_that_was_cut_off_is_mended) {
    must(rotate_key(folder, TokenType::entry, now));
    std::ofstream(folder + "/keys/entry.pub") << "old AAAA\n"; // the last step did not happen
    EXPECT_FALSE(key_faults(folder).empty());
    must(make_keys(folder));
    EXPECT_TRUE(key_faults(folder).empty());
}

TEST_F(Keys, faults_are_named_with_their_file) {
    const auto has = [&](const std::string& what) {
        for (const std::string& fault : key_faults(folder))
            if (fault.find(what) != std::string::npos) return true;
        return false;
    };
    std::ofstream(folder + "/keys/receipt.key") << "short\n";
    fs::remove(folder + "/keys/queue-vwr.key");
    ::chmod((folder + "/keys/vwr.key").c_str(), 0644);
    EXPECT_TRUE(has("receipt.key is damaged"));
    EXPECT_TRUE(has("queue-vwr.key (No such file or directory): run `urr keys`"));
    EXPECT_TRUE(has("vwr.key can be read by others"));
}

} // namespace
} // namespace urr::app
