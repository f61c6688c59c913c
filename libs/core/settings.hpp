// Settings come from environment variables, by one constexpr table per component: it feeds parsing,
// `urr config` and the documents. All that is wrong is said at once.
//
//     inline constexpr SettingRow settings[] = {
//         {"URR_HOLD_SECONDS", Kind::number, "300", "how long a seat is held for payment"},
//     };
//     Settings s = TRY_PLAIN(Settings::from_environment(environ, {core_rows, ticket::settings}));
//     Duration hold = seconds(s.number("URR_HOLD_SECONDS"));
#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/result.hpp"

namespace urr {

// How a setting's text is read. A `secret` is a text that `urr config` never shows; it may stand in
// a file named by <NAME>_FILE instead.
enum class Kind { text, number, yes_no, secret };

struct SettingRow {
    std::string_view name; // URR_...
    Kind kind;
    std::string_view fallback;
    std::string_view meaning;                   // with its unit
    std::int64_t low = 0, high = 1'000'000'000; // of a number
};

class Settings {
public:
    // An empty value is none: the default stays. VALIDATION_FAILED with a line for each setting
    // that is wrong or not known (URR_...).
    static Result<Settings>
    from_environment(char** environment, const std::vector<std::span<const SettingRow>>& tables);
    // Every row in the order of the tables.
    const std::vector<SettingRow>& rows() const { return rows_; }
    // The name must stand in a table.
    const std::string& text(std::string_view name) const;
    std::int64_t number(std::string_view name) const;
    bool yes(std::string_view name) const;
    // The items of a list with commas between, without empty ones.
    std::vector<std::string> list(std::string_view name) const;

private:
    std::vector<SettingRow> rows_;
    std::map<std::string, std::string, std::less<>> values_;
};

} // namespace urr
