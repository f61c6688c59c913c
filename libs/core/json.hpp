// JSON by description: one `describe` per type reads, writes and gives the schema.
//
//     struct CreateReservation { EventId event; std::vector<std::int64_t> seats; };
//     template <class Archive> void describe(Archive& a, CreateReservation& v) {
//         a.field("eventId", v.event);
//         a.field("seats", v.seats, Limits{.min = 1, .max = 10});
//     }
//     CreateReservation v = TRY_PLAIN(read_json<CreateReservation>(body));
//     std::string text = to_json(v);
//
// Reading is strict: malformed text (RFC 8259, UTF-8, no lone surrogates, no duplicate names, at
// most 32 levels) is BAD_REQUEST; what does not fit the description is VALIDATION_FAILED with every
// fault and its field. Unknown members are refused, unless the type says `static constexpr bool
// open = true` (messages between versions). An std::optional member may be absent or null.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"
#include "libs/core/json_text.hpp"
#include "libs/core/money.hpp"
#include "libs/core/result.hpp"

namespace urr {

// Bounds of a member: of a number's value, a text's characters or a list's length.
struct Limits {
    std::int64_t min = INT64_MIN;
    std::int64_t max = INT64_MAX;
};

// A parsed value. Small and plain; objects keep the order of their members.
struct JsonValue {
    enum class Kind : std::uint8_t { null, boolean, integer, real, text, list, object };
    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<JsonValue> items;   // of a list, or the members of an object
    std::vector<std::string> names; // of an object's members

    const JsonValue* find(std::string_view name) const;
    // Empty or zero where the member is absent or of another kind: for clients and tests.
    std::string_view text_of(std::string_view name) const;
    std::int64_t integer_of(std::string_view name) const;
    bool boolean_of(std::string_view name) const;
};

inline constexpr int json_depth_max = 32;

Result<JsonValue> parse_json(std::string_view text);

// An enum that goes by names has: constexpr EnumNames enum_names(Kind) { return {...}; }
template <class Enum>
struct EnumName {
    Enum value;
    std::string_view name;
};

namespace json {

template <class T>
concept Named = requires(T value) { enum_names(value); };
template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;
template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;
template <class T>
constexpr bool is_id = false;
template <class T>
constexpr bool is_id<Id<T>> = true;
template <class T>
constexpr bool is_open = requires { requires T::open; };

// Collects what is wrong while a value is read.
class Faults {
public:
    void add(std::string message);
    void enter(std::string_view name) { path_.emplace_back(name); }
    void leave() { path_.pop_back(); }
    bool empty() const { return faults_.empty(); }
    std::vector<FieldError> take() { return std::move(faults_); }

private:
    std::vector<std::string> path_;
    std::vector<FieldError> faults_;
};

bool read_integer(const JsonValue& from, std::int64_t& to, std::int64_t low, std::int64_t high,
                  Limits limits, Faults& faults);
bool read_text(const JsonValue& from, std::string& to, Limits limits, Faults& faults);
bool read_boolean(const JsonValue& from, bool& to, Faults& faults);
bool read_id(const JsonValue& from, IdBytes& to, Faults& faults);
bool read_instant(const JsonValue& from, Instant& to, Faults& faults);
bool check_length(std::size_t length, Limits limits, Faults& faults);
void check_unknown(const JsonValue& object, const std::vector<std::string_view>& known,
                   Faults& faults);

template <class T>
void read_value(const JsonValue& from, T& to, Limits limits, Faults& faults);

class Reader {
public:
    Reader(const JsonValue& object, Faults& faults) : object_(object), faults_(faults) {}
    template <class T>
    void field(std::string_view name, T& value, Limits limits = {}) {
        known_.push_back(name);
        const JsonValue* from = object_.find(name);
        faults_.enter(name);
        if constexpr (is_optional<T>) {
            if (from && from->kind != JsonValue::Kind::null)
                read_value(*from, value.emplace(), limits, faults_);
        } else if (!from) {
            faults_.add("is required");
        } else {
            read_value(*from, value, limits, faults_);
        }
        faults_.leave();
    }
    void finish(bool open) {
        if (!open) check_unknown(object_, known_, faults_);
    }

private:
    const JsonValue& object_;
    Faults& faults_;
    std::vector<std::string_view> known_;
};

template <class T>
void read_value(const JsonValue& from, T& to, Limits limits, Faults& faults) {
    if constexpr (std::is_same_v<T, bool>) {
        read_boolean(from, to, faults);
    } else if constexpr (Named<T>) {
        std::string text;
        if (!read_text(from, text, {}, faults)) return;
        for (const auto& row : enum_names(T{}))
            if (row.name == text) {
                to = row.value;
                return;
            }
        faults.add("is not one of the names");
    } else if constexpr (std::is_integral_v<T>) {
        constexpr auto high =
            sizeof(T) == 8
                ? INT64_MAX
                : std::int64_t(T(-1) > 0 ? T(-1) : (T(-1) ^ (T(1) << (sizeof(T) * 8 - 1))));
        constexpr auto low = T(-1) > 0 ? std::int64_t(0) : -high - 1;
        std::int64_t number = 0;
        if (read_integer(from, number, low, high, limits, faults)) to = T(number);
    } else if constexpr (std::is_same_v<T, std::string>) {
        read_text(from, to, limits, faults);
    } else if constexpr (is_id<T>) {
        read_id(from, to.bytes, faults);
    } else if constexpr (std::is_same_v<T, Instant>) {
        read_instant(from, to, faults);
    } else if constexpr (std::is_same_v<T, Won>) {
        read_integer(from, to.amount, INT64_MIN, INT64_MAX, limits, faults);
    } else if constexpr (is_list<T>) {
        if (from.kind != JsonValue::Kind::list) return faults.add("must be a list");
        if (!check_length(from.items.size(), limits, faults)) return;
        for (std::size_t i = 0; i < from.items.size(); ++i) {
            faults.enter(std::to_string(i));
            read_value(from.items[i], to.emplace_back(), {}, faults);
            faults.leave();
        }
    } else {
        if (from.kind != JsonValue::Kind::object) return faults.add("must be an object");
        Reader reader(from, faults);
        describe(reader, to);
        reader.finish(is_open<T>);
    }
}

template <class T>
void write_value(std::string& out, const T& value);

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) { out_ += '{'; }
    template <class T>
    void field(std::string_view name, T& value, Limits = {}) {
        if constexpr (is_optional<T>) {
            if (value) field(name, *value);
        } else {
            if (out_.back() != '{') out_ += ',';
            out_.append("\"").append(name).append("\":");
            write_value(out_, value);
        }
    }

private:
    std::string& out_;
};

template <class T>
void write_value(std::string& out, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (Named<T>) {
        for (const auto& row : enum_names(T{}))
            if (row.value == value) append_json_text(out, row.name);
    } else if constexpr (std::is_integral_v<T>) {
        out += std::to_string(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        append_json_text(out, value);
    } else if constexpr (is_id<T>) {
        out.append("\"").append(value.text()).append("\"");
    } else if constexpr (std::is_same_v<T, Instant>) {
        out.append("\"").append(to_rfc3339(value)).append("\"");
    } else if constexpr (std::is_same_v<T, Won>) {
        out += std::to_string(value.amount);
    } else if constexpr (is_list<T>) {
        out += '[';
        for (const auto& item : value) {
            if (out.back() != '[') out += ',';
            write_value(out, item);
        }
        out += ']';
    } else {
        Writer writer(out);
        describe(writer, const_cast<T&>(value)); // a writer only looks
        out += '}';
    }
}

} // namespace json

template <class T>
Result<T> read_json(std::string_view text) {
    const JsonValue value = TRY_PLAIN(parse_json(text));
    json::Faults faults;
    T out{};
    json::read_value(value, out, {}, faults);
    if (!faults.empty())
        return std::unexpected<Error>(Error(Code::VALIDATION_FAILED, "", faults.take()));
    return out;
}

template <class T>
void write_json(std::string& out, const T& value) {
    json::write_value(out, value);
}

template <class T>
std::string to_json(const T& value) {
    std::string out;
    json::write_value(out, value);
    return out;
}

} // namespace urr
