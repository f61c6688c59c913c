#include "apps/urr/settings.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace urr::app {
namespace {

TEST(Settings, the_document_is_what_the_program_says) {
    std::ifstream file(URR_SOURCE "/docs/settings.md");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), settings_markdown())
        << "write it again: build/dev/urr config --markdown > docs/settings.md";
}

TEST(Settings, each_stands_in_one_table_and_its_default_fits) {
    std::set<std::string_view> seen;
    for (const SettingsTable& table : settings_tables())
        for (const SettingRow& row : table.rows) {
            EXPECT_TRUE(seen.insert(row.name).second) << row.name << " stands twice";
            EXPECT_TRUE(row.name.starts_with("URR_")) << row.name;
            const std::string entry = std::string(row.name) + "=" + std::string(row.fallback);
            char* environment[] = {const_cast<char*>(entry.c_str()), nullptr};
            EXPECT_TRUE(read_settings(environment)) << entry;
        }
}

} // namespace
} // namespace urr::app
