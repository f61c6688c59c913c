#include "apps/urr/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace urr::app {

int wrong_use(std::string_view what) {
    std::fprintf(stderr, "urr: %.*s (see urr --help)\n", int(what.size()), what.data());
    return 2;
}

int failed(const Error& error) {
    std::fprintf(stderr, "urr: %.*s\n", int(error.text().size()), error.text().data());
    for (const FieldError& field : error.fields())
        std::fprintf(stderr, "urr:   %s %s\n", field.field.c_str(), field.message.c_str());
    return 1;
}

std::string take_option(Arguments& arguments, std::string_view name, std::string_view fallback) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        if (arguments[i] != name) continue;
        std::string value = arguments[i + 1];
        arguments.erase(arguments.begin() + long(i), arguments.begin() + long(i) + 2);
        return value;
    }
    return std::string(fallback);
}

bool take_flag(Arguments& arguments, std::string_view name) {
    const auto at = std::find(arguments.begin(), arguments.end(), name);
    if (at == arguments.end()) return false;
    arguments.erase(at);
    return true;
}

std::int64_t take_number(Arguments& arguments, std::string_view name, std::int64_t fallback,
                         std::int64_t low) {
    const std::string text = take_option(arguments, name, std::to_string(fallback));
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && value >= low)
        return value;
    std::exit(wrong_use(std::string(name) + " must be a whole number from " + std::to_string(low)));
}

} // namespace urr::app
