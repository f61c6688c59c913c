// Logs: one JSON object a line. An entry names what happened in a constant of the program and
// carries its figures as fields; personal data and secrets never go in (ids of events and orders
// may, accounts, addresses and tokens may not).
//
//     log.write(Level::warning, "relay_failed", {{"topic", topic}, {"attempt", attempt}}, &trace);
//
// Injected as `Log&`; any thread may write.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/clock.hpp"
#include "libs/core/trace.hpp"

namespace urr {

enum class Level : std::uint8_t { debug, info, warning, error };
std::string_view level_name(Level level);
std::optional<Level> find_level(std::string_view name);

struct LogField {
    std::string_view name;
    std::string text; // ready JSON
    LogField(std::string_view field, std::string_view value);
    LogField(std::string_view field, const char* value)
        : LogField(field, std::string_view(value)) {}
    LogField(std::string_view field, const std::string& value)
        : LogField(field, std::string_view(value)) {}
    template <std::integral Number>
    LogField(std::string_view field, Number value) : name(field), text(std::to_string(value)) {}
};

class Log {
public:
    virtual ~Log() = default;
    virtual void write(Level level, std::string_view what,
                       std::initializer_list<LogField> fields = {},
                       const Trace* trace = nullptr) = 0;
};

// Writes lines from `least` on to a file descriptor, each with one write(2). What cannot be
// written (the disk is full, the reader has gone) is dropped: a log never stops a sale.
class LineLog final : public Log {
public:
    LineLog(int descriptor, const Clock& clock, std::string service, Level least)
        : descriptor_(descriptor), clock_(clock), service_(std::move(service)), least_(least) {}
    void write(Level level, std::string_view what, std::initializer_list<LogField> fields,
               const Trace* trace) override;

private:
    const int descriptor_;
    const Clock& clock_;
    const std::string service_;
    const Level least_;
};

// For tests and the simulator.
class SilentLog final : public Log {
public:
    void write(Level, std::string_view, std::initializer_list<LogField>, const Trace*) override {}
};

} // namespace urr
