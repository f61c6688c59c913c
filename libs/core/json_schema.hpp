// The third archive of json.hpp: the JSON Schema (2020-12) of a described type, so that a test can
// compare what the code reads and writes with what the contracts say.
//
//     std::string schema = json_schema<CreateReservation>();
//
// Texts have the pattern that the reader insists on, integers their format; members that may be
// absent may be null too.
#pragma once
#include "libs/core/json.hpp"

namespace urr {

namespace json {

// No control characters.
inline constexpr std::string_view text_pattern = R"(^[^\\x00-\\x1f\\x7f]*$)";

inline void append_bound(std::string& out, std::string_view name, std::int64_t bound,
                         std::int64_t none) {
    if (bound != none) out.append(",\"").append(name).append("\":").append(std::to_string(bound));
}

inline void append_bounds(std::string& out, Limits limits, std::string_view least,
                          std::string_view most) {
    append_bound(out, least, limits.min, Limits{}.min);
    append_bound(out, most, limits.max, Limits{}.max);
}

inline void append_type(std::string& out, std::string_view type, bool may_be_null) {
    out.append("{\"type\":");
    if (may_be_null)
        out.append("[\"").append(type).append("\",\"null\"]");
    else
        out.append("\"").append(type).append("\"");
}

template <class T>
void append_schema(std::string& out, Limits limits, bool may_be_null);

class SchemaWriter {
public:
    template <class T>
    void field(std::string_view name, T&, Limits limits = {}) {
        if (!properties_.empty()) properties_ += ',';
        properties_.append("\"").append(name).append("\":");
        if constexpr (is_optional<T>) {
            append_schema<typename T::value_type>(properties_, limits, true);
        } else {
            append_schema<T>(properties_, limits, false);
            required_.append(required_.empty() ? "\"" : ",\"").append(name).append("\"");
        }
    }
    void finish(std::string& out, bool open) const {
        if (!required_.empty()) out.append(",\"required\":[").append(required_).append("]");
        out.append(",\"properties\":{").append(properties_).append("}");
        if (!open) out.append(",\"additionalProperties\":false");
    }

private:
    std::string properties_, required_;
};

template <class T>
void append_schema(std::string& out, Limits limits, bool may_be_null) {
    if constexpr (std::is_same_v<T, bool>) {
        append_type(out, "boolean", may_be_null);
    } else if constexpr (Named<T>) {
        append_type(out, "string", may_be_null);
        out += ",\"enum\":[";
        for (const auto& row : enum_names(T{})) {
            if (out.back() != '[') out += ',';
            append_json_text(out, row.name);
        }
        out += ']';
    } else if constexpr (std::is_integral_v<T> || std::is_same_v<T, Won>) {
        append_type(out, "integer", may_be_null);
        out.append(",\"format\":\"").append(sizeof(T) == 8 ? "int64" : "int32").append("\"");
        append_bounds(out, limits, "minimum", "maximum");
    } else if constexpr (std::is_same_v<T, std::string>) {
        append_type(out, "string", may_be_null);
        append_bounds(out, limits, "minLength", "maxLength");
        out.append(",\"pattern\":\"").append(text_pattern).append("\"");
    } else if constexpr (is_id<T>) {
        append_type(out, "string", may_be_null);
        out += ",\"format\":\"uuid\"";
    } else if constexpr (std::is_same_v<T, Instant>) {
        append_type(out, "string", may_be_null);
        out += ",\"format\":\"date-time\"";
    } else if constexpr (is_list<T>) {
        append_type(out, "array", may_be_null);
        append_bounds(out, limits, "minItems", "maxItems");
        out += ",\"items\":";
        append_schema<typename T::value_type>(out, {}, false);
    } else {
        append_type(out, "object", may_be_null);
        T value{};
        SchemaWriter writer;
        describe(writer, value);
        writer.finish(out, is_open<T>);
    }
    out += '}';
}

} // namespace json

template <class T>
std::string json_schema() {
    std::string out;
    json::append_schema<T>(out, {}, false);
    return out;
}

} // namespace urr
