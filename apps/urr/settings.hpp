// Settings come from environment variables, by one table: it feeds parsing, `urr config` and the
// documents. All that is wrong is said at once.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/result.hpp"

namespace urr::app {

enum class Kind { text, number, yes_no };

struct SettingRow {
    std::string_view name;
    Kind kind;
    std::string_view fallback;
    std::string_view meaning;
};

std::vector<SettingRow> setting_rows();

class Settings {
public:
    // VALIDATION_FAILED with a line for each setting that is wrong or not known (URR_...).
    static Result<Settings> from_environment(char** environment);
    const std::string& text(std::string_view name) const;
    std::int64_t number(std::string_view name) const;
    bool yes(std::string_view name) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

} // namespace urr::app
