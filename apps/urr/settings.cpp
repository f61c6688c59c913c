#include "apps/urr/settings.hpp"

#include "apps/urr/database_settings.hpp"
#include "apps/urr/files_part.hpp"
#include "apps/urr/works.hpp"
#include "libs/aws/service.hpp"
#include "libs/contract/shared_settings.hpp"
#include "libs/messaging/kafka/options.hpp"
#include "services/auth/component.hpp"
#include "services/catalog/component.hpp"
#include "services/gateway/component.hpp"
#include "services/payment/component.hpp"
#include "services/queue/component.hpp"
#include "services/ticket/component.hpp"
#include "services/waiting_room/component.hpp"
#include "services/worker/component.hpp"

namespace urr::app {

namespace {

constexpr std::string_view kind_names[] = {"text", "number", "yes or no", "secret"};

std::string values_of(const SettingRow& row) {
    if (row.kind != Kind::number) return std::string(kind_names[std::size_t(row.kind)]);
    return std::to_string(row.low) + " to " + std::to_string(row.high);
}

} // namespace

const std::vector<SettingsTable>& settings_tables() {
    static const std::vector<SettingsTable> tables = {
        {"program", settings_table},
        {"databases", database_settings},
        {"shared", shared_settings},
        {"Kafka", kafka_settings},
        {"aws", aws::settings},
        {"work queue", works_settings},
        {"gateway", gateway::settings},
        {"auth", auth::settings},
        {"waiting room", waiting_room::settings},
        {"queue", queue::settings},
        {"ticket", ticket::settings},
        {"files", files_settings},
        {"payment", payment::settings},
        {"catalog", catalog::settings},
        {"worker", worker::settings},
    };
    return tables;
}

Result<Settings> read_settings(char** environment) {
    std::vector<std::span<const SettingRow>> rows;
    for (const SettingsTable& table : settings_tables()) rows.push_back(table.rows);
    return Settings::from_environment(environment, rows);
}

std::string settings_markdown() {
    std::string text = R"(# Settings

Environment variables, checked at start, all problems at once; an empty one is not set. Written by
`urr config --markdown`: change the tables in `apps/urr/settings.hpp` and
`services/*/component.hpp`, not this file. A secret may stand in a file that NAME_FILE names.
)";
    for (const auto& [component, rows] : settings_tables()) {
        if (rows.empty()) continue;
        text += "\n## " + std::string(component) +
                "\n\n| setting | values | default | meaning |\n" + "|---|---|---|---|\n";
        for (const SettingRow& row : rows)
            text += "| `" + std::string(row.name) + "` | " + values_of(row) + " | " +
                    (row.fallback.empty() ? "" : "`" + std::string(row.fallback) + "`") + " | " +
                    std::string(row.meaning) + " |\n";
    }
    return text;
}

} // namespace urr::app
