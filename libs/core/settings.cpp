#include "libs/core/settings.hpp"

#include <cassert>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace urr {

namespace {

constexpr std::size_t secret_file_bytes_max = 64 * 1024;

// Nothing, or what is wrong with the value.
std::string fault_of(const SettingRow& row, std::string_view value) {
    if (row.kind == Kind::yes_no && value != "yes" && value != "no") return "must be yes or no";
    if (row.kind != Kind::number) return {};
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (!value.empty() && read.ptr == end && read.ec == std::errc() && number >= row.low &&
        number <= row.high)
        return {};
    return "must be a whole number from " + std::to_string(row.low) + " to " +
           std::to_string(row.high);
}

// The file's text without the line break at its end.
Result<std::string> secret_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Code::UNAVAILABLE, "names a file that cannot be read");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.size() > secret_file_bytes_max)
        return fail(Code::UNAVAILABLE, "names a file that is too large");
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

} // namespace

Result<Settings>
Settings::from_environment(char** environment,
                           const std::vector<std::span<const SettingRow>>& tables) {
    Settings settings;
    std::map<std::string_view, const SettingRow*> known;
    for (const auto& table : tables)
        for (const SettingRow& row : table) {
            settings.rows_.push_back(row);
            settings.values_[std::string(row.name)] = row.fallback;
            known[row.name] = &row;
        }
    std::vector<FieldError> wrong;
    for (char** at = environment; *at; ++at) {
        const std::string_view entry = *at;
        const std::string_view name = entry.substr(0, entry.find('='));
        if (!name.starts_with("URR_") || name.size() == entry.size()) continue;
        std::string value(entry.substr(name.size() + 1));
        auto row = known.find(name);
        if (row == known.end() && name.ends_with("_FILE")) {
            row = known.find(name.substr(0, name.size() - 5));
            if (row != known.end() && row->second->kind != Kind::secret) row = known.end();
            if (row != known.end()) {
                auto secret = secret_of(value);
                if (!secret) {
                    wrong.push_back({std::string(name), std::string(secret.error().text())});
                    continue;
                }
                value = std::move(*secret);
            }
        }
        if (row == known.end()) {
            wrong.push_back({std::string(name), "is not a setting (see urr config)"});
            continue;
        }
        if (value.empty()) continue; // as good as not set: deployments hand on what they lack
        if (std::string fault = fault_of(*row->second, value); !fault.empty())
            wrong.push_back({std::string(name), std::move(fault)});
        else
            settings.values_[std::string(row->second->name)] = std::move(value);
    }
    if (!wrong.empty())
        return std::unexpected<Error>(Error(Code::VALIDATION_FAILED, "settings", std::move(wrong)));
    return settings;
}

const std::string& Settings::text(std::string_view name) const {
    const auto found = values_.find(name);
    assert(found != values_.end());
    return found->second;
}

std::int64_t Settings::number(std::string_view name) const {
    return std::strtoll(text(name).c_str(), nullptr, 10);
}

bool Settings::yes(std::string_view name) const { return text(name) == "yes"; }

std::vector<std::string> Settings::list(std::string_view name) const {
    std::vector<std::string> items;
    std::string_view rest = text(name);
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        std::string_view item = rest.substr(0, comma);
        while (item.starts_with(' ')) item.remove_prefix(1);
        while (item.ends_with(' ')) item.remove_suffix(1);
        if (!item.empty()) items.emplace_back(item);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return items;
}

} // namespace urr
