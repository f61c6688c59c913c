#include "libs/core/settings.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

namespace urr {
namespace {

constexpr SettingRow rows[] = {
    {"URR_NAME", Kind::text, "urr", "a name"},
    {"URR_COUNT", Kind::number, "3", "a count", 1, 10},
    {"URR_ON", Kind::yes_no, "no", "a switch"},
    {"URR_KEY", Kind::secret, "", "a key"},
};

Result<Settings> from(std::vector<std::string> entries) {
    std::vector<char*> raw;
    for (std::string& entry : entries) raw.push_back(entry.data());
    raw.push_back(nullptr);
    return Settings::from_environment(raw.data(), {rows});
}

TEST(Settings, have_their_defaults_and_take_what_is_given) {
    const auto settings = from({"URR_COUNT=10", "HOME=/root", "URR_NAME=a, b,,c "});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->number("URR_COUNT"), 10);
    EXPECT_FALSE(settings->yes("URR_ON"));
    EXPECT_EQ(settings->list("URR_NAME"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Settings, that_are_empty_have_their_defaults) {
    const auto settings = from({"URR_NAME=", "URR_COUNT=", "URR_ON=", "URR_KEY="});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->text("URR_NAME"), "urr");
    EXPECT_EQ(settings->number("URR_COUNT"), 3);
    EXPECT_FALSE(settings->yes("URR_ON"));
    EXPECT_EQ(settings->text("URR_KEY"), "");
}

TEST(Settings, say_all_that_is_wrong_at_once) {
    const auto settings = from({"URR_COUNT=11", "URR_ON=maybe", "URR_OTHER=1", "URR_NAME_FILE=x"});
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().fields().size(), 4u);
    EXPECT_EQ(settings.error().fields()[0].message, "must be a whole number from 1 to 10");
}

TEST(Settings, take_a_secret_from_a_file) {
    const std::string path = testing::TempDir() + "urr_secret_" + std::to_string(::getpid());
    FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_TRUE(file);
    std::fputs("hush\n", file);
    std::fclose(file);
    const auto settings = from({"URR_KEY_FILE=" + path});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->text("URR_KEY"), "hush");
    EXPECT_FALSE(from({"URR_KEY_FILE=" + path + ".none"}));
    std::remove(path.c_str());
}

} // namespace
} // namespace urr
