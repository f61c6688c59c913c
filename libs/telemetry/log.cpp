#include "libs/telemetry/log.hpp"

#include <unistd.h>

#include "libs/core/json_text.hpp"

namespace urr {

namespace {

constexpr std::string_view names[] = {"debug", "info", "warning", "error"};

} // namespace

std::string_view level_name(Level level) { return names[std::size_t(level)]; }

std::optional<Level> find_level(std::string_view name) {
    for (std::size_t i = 0; i < std::size(names); ++i)
        if (names[i] == name) return Level(i);
    return std::nullopt;
}

LogField::LogField(std::string_view field, std::string_view value) : name(field) {
    append_json_text(text, value);
}

void LineLog::write(Level level, std::string_view what, std::initializer_list<LogField> fields,
                    const Trace* trace) {
    if (level < least_) return;
    std::string line = "{\"time\":\"" + to_rfc3339(clock_.now()) + "\",\"level\":\"";
    line.append(level_name(level)).append("\",\"service\":");
    append_json_text(line, service_);
    line += ",\"event\":";
    append_json_text(line, what);
    if (trace) line.append(",\"traceId\":\"").append(trace->id_text()).append("\"");
    for (const LogField& field : fields) {
        line += ',';
        append_json_text(line, field.name);
        line.append(":").append(field.text);
    }
    line += "}\n";
    (void)!::write(descriptor_, line.data(), line.size());
}

} // namespace urr
