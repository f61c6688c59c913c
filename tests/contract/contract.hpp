// The contracts as the tests read them: api/openapi.yaml and api/asyncapi.yaml as JSON.
//
//     const JsonValue& openapi = contract("openapi");
//     const JsonValue* schema = at(openapi, {"components", "schemas", "Problem"});
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "libs/core/json.hpp"
#include "libs/core/must.hpp"

namespace urr {

inline const JsonValue& contract(const std::string& name) {
    static std::map<std::string, JsonValue> read;
    if (const auto known = read.find(name); known != read.end()) return known->second;
    std::ifstream file(URR_CONTRACTS "/" + name + ".json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return read.emplace(name, must(parse_json(text))).first->second;
}

// nullptr when a name on the way is missing.
inline const JsonValue* at(const JsonValue& from, std::initializer_list<std::string_view> names) {
    const JsonValue* value = &from;
    for (const std::string_view name : names)
        if (value) value = value->find(name);
    return value;
}

} // namespace urr
