#include "apps/urr/settings.hpp"

#include <charconv>
#include <cstdlib>

namespace urr::app {

namespace {

constexpr SettingRow rows[] = {
    {"URR_DATA", Kind::text, "var", "folder of the embedded stores and keys"},
    {"URR_LISTEN", Kind::text, "127.0.0.1", "address to listen on"},
    {"URR_PORT", Kind::number, "3001", "port of the gateway"},
    {"URR_VWR_PORT", Kind::number, "3006", "port of the waiting room alone"},
    {"URR_TRUSTED_PROXIES", Kind::text, "",
     "networks whose X-Forwarded-For is believed: 127.0.0.1/32, 10.0.0.0/16"},
    {"URR_ORIGINS", Kind::text, "", "origins that browsers may call from (CORS), comma between"},
    {"URR_LIMIT_AUTH", Kind::number, "20", "requests a minute and caller: /api/v1/auth"},
    {"URR_LIMIT_QUEUE", Kind::number, "60", "requests a minute and caller: /api/v1/queue"},
    {"URR_LIMIT_BOOKING", Kind::number, "10", "writes a minute and caller: seats, reservations"},
    {"URR_LIMIT_GENERAL", Kind::number, "100", "requests a minute and caller: all else"},
    {"URR_ASSIGN_BURST", Kind::number, "1000", "numbers that one address may take at once"},
    {"URR_ASSIGN_PER_SECOND", Kind::number, "50", "numbers a second and address after that"},
    {"URR_RATE_PER_MINUTE", Kind::number, "500", "people let in a minute by the waiting room"},
    {"URR_RATE_ADAPTIVE", Kind::yes_no, "no", "let in what the queue can take instead"},
    {"URR_THRESHOLD", Kind::number, "1000", "people who may choose seats at once, per event"},
    {"URR_ADMITTED_PER_SECOND", Kind::number, "500", "people admitted to the seats a second"},
    {"URR_HOLD_SECONDS", Kind::number, "300", "how long a seat is held for payment"},
    {"URR_SECURE_COOKIES", Kind::yes_no, "yes", "cookies for HTTPS only"},
};

bool well_formed(const SettingRow& row, std::string_view value) {
    if (row.kind == Kind::yes_no) return value == "yes" || value == "no";
    if (row.kind == Kind::text) return true;
    std::int64_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    return !value.empty() && read.ptr == value.data() + value.size() && read.ec == std::errc() &&
           number >= 0 && number <= 1'000'000'000;
}

const SettingRow* find(std::string_view name) {
    for (const SettingRow& row : rows)
        if (row.name == name) return &row;
    return nullptr;
}

} // namespace

std::vector<SettingRow> setting_rows() { return {std::begin(rows), std::end(rows)}; }

Result<Settings> Settings::from_environment(char** environment) {
    Settings settings;
    std::vector<FieldError> wrong;
    for (const SettingRow& row : rows) settings.values_[std::string(row.name)] = row.fallback;
    for (char** at = environment; *at; ++at) {
        const std::string_view entry = *at;
        const std::string_view name = entry.substr(0, entry.find('='));
        if (!name.starts_with("URR_") || name == "URR_SEED") continue;
        const std::string_view value = entry.substr(name.size() + 1);
        const SettingRow* row = find(name);
        if (!row)
            wrong.push_back({std::string(name), "is not a setting (see urr config)"});
        else if (!well_formed(*row, value))
            wrong.push_back({std::string(name), row->kind == Kind::yes_no
                                                    ? "must be yes or no"
                                                    : "must be a whole number from 0"});
        else
            settings.values_[std::string(name)] = value;
    }
    if (!wrong.empty())
        return std::unexpected<Error>(Error(Code::VALIDATION_FAILED, "settings", std::move(wrong)));
    return settings;
}

const std::string& Settings::text(std::string_view name) const {
    return values_.find(name)->second;
}

std::int64_t Settings::number(std::string_view name) const {
    return std::strtoll(text(name).c_str(), nullptr, 10);
}

bool Settings::yes(std::string_view name) const { return text(name) == "yes"; }

} // namespace urr::app
