#include "libs/core/json.hpp"

#include <charconv>
#include <cmath>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

namespace urr {

namespace {

namespace bj = boost::json;

// Receives the library's events and builds the value; refuses names that come twice.
struct Builder {
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = 1024;
    static constexpr std::size_t max_string_size = std::size_t(-1);

    JsonValue root;
    std::vector<JsonValue*> open; // the lists and objects that are not closed yet
    std::string name, text;
    bool duplicate = false;

    JsonValue& place() {
        if (open.empty()) return root;
        JsonValue& parent = *open.back();
        if (parent.kind == JsonValue::Kind::list) return parent.items.emplace_back();
        if (parent.find(name)) duplicate = true;
        parent.names.push_back(std::exchange(name, {}));
        return parent.items.emplace_back();
    }
    bool put(JsonValue value) {
        place() = std::move(value);
        return true;
    }
    bool begin(JsonValue::Kind kind) {
        JsonValue& value = place();
        value.kind = kind;
        open.push_back(&value);
        name.clear();
        return true;
    }

    bool on_document_begin(bj::error_code&) { return true; }
    bool on_document_end(bj::error_code&) { return true; }
    bool on_object_begin(bj::error_code&) { return begin(JsonValue::Kind::object); }
    bool on_object_end(std::size_t, bj::error_code&) {
        open.pop_back();
        return true;
    }
    bool on_array_begin(bj::error_code&) { return begin(JsonValue::Kind::list); }
    bool on_array_end(std::size_t, bj::error_code&) {
        open.pop_back();
        return true;
    }
    bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
        name.append(part.data(), part.size());
        return true;
    }
    bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
        name.append(part.data(), part.size());
        return true;
    }
    bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
        text.append(part.data(), part.size());
        JsonValue value;
        value.kind = JsonValue::Kind::text;
        value.text = std::exchange(text, {});
        return put(std::move(value));
    }
    bool on_number_part(bj::string_view, bj::error_code&) { return true; }
    bool on_int64(std::int64_t number, bj::string_view, bj::error_code&) {
        JsonValue value;
        value.kind = JsonValue::Kind::integer;
        value.integer = number;
        return put(std::move(value));
    }
    bool on_uint64(std::uint64_t number, bj::string_view, bj::error_code& error) {
        return on_double(double(number), {}, error); // beyond what we count with
    }
    // The parser's own figure may be off by its last bits: 1810476518486679.0 would not be whole.
    bool on_double(double number, bj::string_view digits, bj::error_code&) {
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        JsonValue value;
        value.kind = JsonValue::Kind::real;
        value.real = number;
        return put(std::move(value));
    }
    bool on_bool(bool yes, bj::error_code&) {
        JsonValue value;
        value.kind = JsonValue::Kind::boolean;
        value.boolean = yes;
        return put(std::move(value));
    }
    bool on_null(bj::error_code&) { return put({}); }
    bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
    bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

} // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return &items[i];
    return nullptr;
}

std::string_view JsonValue::text_of(std::string_view name) const {
    const JsonValue* value = find(name);
    return value ? std::string_view(value->text) : std::string_view();
}

std::int64_t JsonValue::integer_of(std::string_view name) const {
    const JsonValue* value = find(name);
    return value ? value->integer : 0;
}

bool JsonValue::boolean_of(std::string_view name) const {
    const JsonValue* value = find(name);
    return value && value->boolean;
}

Result<JsonValue> parse_json(std::string_view text) {
    bj::parse_options options;
    options.max_depth = json_depth_max;
    bj::basic_parser<Builder> parser(options);
    bj::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (error || used != text.size()) return fail(Code::BAD_REQUEST, "the body is not JSON");
    if (parser.handler().duplicate) return fail(Code::BAD_REQUEST, "a name is given twice");
    return std::move(parser.handler().root);
}

namespace {

constexpr double exact_reals_max = 9007199254740992; // 2^53

// Unicode code points of a well-formed UTF-8 text, as JSON Schema counts them.
std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += ((unsigned char)c & 0xc0) != 0x80;
    return count;
}

// The first bytes of a text, no character cut in two.
std::string_view beginning(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && ((unsigned char)text[bytes_max] & 0xc0) == 0x80) --bytes_max;
    return text.substr(0, bytes_max);
}

} // namespace

namespace json {

void Faults::add(std::string message) {
    std::string field;
    for (const std::string& part : path_) {
        if (!field.empty()) field += '/';
        field += part;
    }
    faults_.push_back({std::move(field), std::move(message)});
}

bool read_integer(const JsonValue& from, std::int64_t& to, std::int64_t low, std::int64_t high,
                  Limits limits, Faults& faults) {
    low = std::max(low, limits.min);
    high = std::min(high, limits.max);
    std::int64_t number = from.integer;
    const bool whole = from.kind == JsonValue::Kind::real && std::trunc(from.real) == from.real &&
                       std::abs(from.real) <= exact_reals_max;
    if (whole) number = std::int64_t(from.real); // 1.0 is a whole number (JSON Schema)
    if (from.kind != JsonValue::Kind::integer && !whole) {
        faults.add("must be a whole number");
        return false;
    }
    if (number < low || number > high) {
        faults.add("must be from " + std::to_string(low) + " to " + std::to_string(high));
        return false;
    }
    to = number;
    return true;
}

bool read_text(const JsonValue& from, std::string& to, Limits limits, Faults& faults) {
    if (from.kind != JsonValue::Kind::text) {
        faults.add("must be a text");
        return false;
    }
    for (const char c : from.text)
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            faults.add("must have no control characters");
            return false;
        }
    if (!check_length(characters(from.text), limits, faults)) return false;
    to = from.text;
    return true;
}

bool read_boolean(const JsonValue& from, bool& to, Faults& faults) {
    if (from.kind != JsonValue::Kind::boolean) {
        faults.add("must be true or false");
        return false;
    }
    to = from.boolean;
    return true;
}

bool read_id(const JsonValue& from, IdBytes& to, Faults& faults) {
    const auto parsed =
        from.kind == JsonValue::Kind::text ? parse_id(from.text) : std::optional<IdBytes>();
    if (!parsed) {
        faults.add("must be an id");
        return false;
    }
    to = *parsed;
    return true;
}

bool read_instant(const JsonValue& from, Instant& to, Faults& faults) {
    const auto parsed =
        from.kind == JsonValue::Kind::text ? parse_rfc3339(from.text) : std::optional<Instant>();
    if (!parsed) {
        faults.add("must be a time (RFC 3339)");
        return false;
    }
    to = *parsed;
    return true;
}

bool check_length(std::size_t length, Limits limits, Faults& faults) {
    if (std::int64_t(length) < limits.min) {
        faults.add("must have at least " + std::to_string(limits.min));
        return false;
    }
    if (std::int64_t(length) > limits.max) {
        faults.add("must have at most " + std::to_string(limits.max));
        return false;
    }
    return true;
}

void check_unknown(const JsonValue& object, const std::vector<std::string_view>& known,
                   Faults& faults) {
    for (const std::string& name : object.names) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        faults.enter(beginning(name, 64));
        faults.add("is not known");
        faults.leave();
    }
}

} // namespace json

} // namespace urr
