#include "apps/urr/keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

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
    const std::string copy = folder + "_copy"; // for a role
    const Instant now{1'800'000'000'000'000};
    Roles gateway = Roles::none(), queue = Roles::none();

    Keys() {
        gateway.gateway = queue.queue = true;
        must(make_keys(folder));
        fs::create_directory(copy);
    }
    ~Keys() override {
        fs::remove_all(folder);
        fs::remove_all(copy);
    }

    std::string token_signed_now() {
        Claims claims;
        claims.subject = AccountId{{1}};
        claims.issued = now;
        claims.expires = now + hours(48);
        claims.role = Role::user;
        claims.email = "a@b.example";
        return sign_token(must(signing_key(folder, TokenType::access)), claims);
    }
    static std::string text_of(const fs::path& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::map<std::string, std::string> all_files() {
        std::map<std::string, std::string> files;
        for (const auto& file : fs::directory_iterator(folder + "/keys"))
            files[file.path().filename().string()] = text_of(file.path());
        return files;
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
    EXPECT_TRUE(key_faults(folder, now).empty());
}

TEST_F(Keys, that_were_left_empty_are_made_again) {
    const std::string receipt = folder + "/keys/receipt.key", access = folder + "/keys/access.key";
    fs::resize_file(receipt, 0);
    fs::resize_file(access, 0);
    fs::remove(folder + "/keys/access.pub"); // else it was used as a key
    EXPECT_FALSE(key_faults(folder, now).empty());
    EXPECT_EQ(must(make_keys(folder)), 2);
    EXPECT_TRUE(key_faults(folder, now).empty());
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
    const Instant now{1'800'000'000'000'000};
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
        EXPECT_TRUE(key_faults(folder, now).empty()) << round;
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
    EXPECT_FALSE(key_faults(folder, now).empty());
    must(make_keys(folder));
    EXPECT_TRUE(key_faults(folder, now).empty());
}

TEST_F(Keys, a_rotation_whose_public_half_was_not_written_is_mended) {
    const std::string shown = folder + "/keys/entry.pub";
    const std::string before = text_of(shown);
    must(rotate_key(folder, TokenType::entry, now));
    const std::string after = text_of(shown);
    std::ofstream(shown) << before;
    EXPECT_EQ(key_faults(folder, now).size(), 1u);
    must(make_keys(folder));
    EXPECT_EQ(text_of(shown), after);
    EXPECT_TRUE(key_faults(folder, now).empty());
}

TEST_F(Keys, of_a_role_are_handed_out_as_they_are_and_private_ones_stay_so) {
    must(rotate_key(folder, TokenType::access, now));
    const std::vector<std::string> its{
        "access.previous.pub", "access.pub",        "entry.pub",
        "device.key",          "gateway-auth.key",  "gateway-catalog.key",
        "gateway-payment.key", "gateway-queue.key", "gateway-ticket.key"};
    EXPECT_EQ(key_files_of(folder, gateway), its);
    EXPECT_EQ(must(hand_out_keys(folder, now, gateway, copy + "/keys")), 9);
    EXPECT_EQ(must(hand_out_keys(folder, now, gateway, copy + "/keys")), 9) << "once more";
    fs::remove(folder + "/keys/access.previous.pub"); // as after a theft
    EXPECT_EQ(must(hand_out_keys(folder, now, gateway, copy + "/keys")), 8);
    EXPECT_FALSE(fs::exists(copy + "/keys/access.previous.pub"));
    must(rotate_key(folder, TokenType::access, now + hours(48)));
    EXPECT_EQ(must(hand_out_keys(folder, now + hours(48), gateway, copy + "/keys")), 9);
    std::vector<std::string> there;
    for (const auto& file : fs::directory_iterator(copy + "/keys")) {
        const std::string name = file.path().filename().string();
        there.push_back(name);
        EXPECT_EQ(text_of(file.path()), text_of(folder + "/keys/" + name)) << name;
        EXPECT_EQ(file.status().permissions(), fs::perms(name.ends_with(".pub") ? 0644 : 0600))
            << name;
    }
    EXPECT_TRUE(std::ranges::is_permutation(there, its));
    EXPECT_EQ(fs::status(copy + "/keys").permissions(), fs::perms(0700));
    EXPECT_TRUE(key_faults(copy, now, gateway).empty()) << "it has all that it needs";
    EXPECT_FALSE(key_faults(copy, now, queue).empty());
}

TEST_F(Keys, are_handed_out_whole_or_not_at_all) {
    const auto refusal = [&](const Roles& roles) {
        const auto copied = hand_out_keys(folder, now, roles, copy);
        return copied ? "copied" : std::string(copied.error().text());
    };
    fs::remove(folder + "/keys/queue-vwr.key");
    EXPECT_NE(refusal(queue).find("queue-vwr.key (No such file or directory): carry it here"),
              std::string::npos)
        << refusal(queue);
    std::ofstream(folder + "/keys/entry.pub") << "entry AAAA\n";
    EXPECT_NE(refusal(gateway).find("entry.pub is damaged"), std::string::npos);
    EXPECT_TRUE(fs::is_empty(copy));
    must(make_keys(folder));
    std::ofstream(copy + "/file") << "no folder\n";
    const auto nowhere = hand_out_keys(folder, now, queue, copy + "/file");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().text(),
              "cannot write " + copy + "/file/vwr.pub.new: Not a directory");
    EXPECT_FALSE(hand_out_keys(folder, now, queue, copy + "/no/folder"));
}

TEST_F(Keys, are_not_made_in_the_copy_of_a_role_that_only_verifies) {
    must(hand_out_keys(folder, now, gateway, copy + "/keys"));
    fs::remove_all(folder);
    fs::rename(copy, folder);
    const auto before = all_files();
    const auto made = make_keys(folder);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), Code::CONFLICT);
    EXPECT_NE(made.error().text().find("access.pub stands without access.key"),
              std::string_view::npos)
        << made.error().text();
    EXPECT_EQ(all_files(), before);
}

TEST_F(Keys, a_public_half_of_a_foreign_key_is_never_replaced) {
    const std::string shown = folder + "/keys/access.pub", other = folder + "_other";
    must(make_keys(other));
    fs::copy_file(other + "/keys/access.pub", shown, fs::copy_options::overwrite_existing);
    fs::remove_all(other);
    fs::remove(folder + "/keys/receipt.key");
    const auto before = all_files();
    EXPECT_FALSE(make_keys(folder));
    EXPECT_FALSE(rotate_key(folder, TokenType::access, now));
    EXPECT_EQ(all_files(), before);
}

// Both copies of queue have the new public half before one of them gets the private one.
TEST_F(Keys, a_copy_in_the_first_round_of_a_rotation_is_as_it_should_be) {
    const std::string key = folder + "/keys/entry.key";
    const std::string old = text_of(key);
    must(rotate_key(folder, TokenType::entry, now));
    const std::string rotated = text_of(key);
    std::ofstream(key) << old;
    const auto before = all_files();
    EXPECT_TRUE(key_faults(folder, now + hours(23)).empty());
    EXPECT_EQ(must(make_keys(folder)), 0);
    EXPECT_FALSE(rotate_key(folder, TokenType::entry, now + hours(25)))
        << "a third key, which nobody knows, would come of it";
    EXPECT_EQ(all_files(), before);
    EXPECT_EQ(key_faults(folder, now + hours(24)).size(), 1u) << "nobody takes what it signs";
    std::ofstream(key) << rotated;
    EXPECT_TRUE(key_faults(folder, now).empty());
}

TEST_F(Keys, faults_are_named_with_their_file) {
    const auto has = [&](const std::string& what) {
        for (const std::string& fault : key_faults(folder, now))
            if (fault.find(what) != std::string::npos) return true;
        return false;
    };
    std::ofstream(folder + "/keys/receipt.key") << "short\n";
    fs::remove(folder + "/keys/queue-vwr.key");
    ::chmod((folder + "/keys/vwr.key").c_str(), 0644);
    EXPECT_TRUE(has("receipt.key is damaged"));
    EXPECT_TRUE(has("queue-vwr.key (No such file or directory): carry it here"));
    EXPECT_TRUE(has("vwr.key can be read by others"));
}

} // namespace
} // namespace urr::app
