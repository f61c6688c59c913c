// What an engine, or the library that speaks to it, said of a failure, in words that tell an
// operator what is wrong and what to do. Pure.
#pragma once
#include <string>
#include <string_view>

#include "libs/core/settings.hpp"

namespace urr::app {

// The settings that are to be mended, as they stand in a sentence.
struct Mend {
    std::string_view address, secret, authority;
};

// "wrong password (WRONGPASS …): mend URR_REDIS_PASSWORD". What is not known stands as it was said.
std::string in_plain_words(std::string_view said, const Mend& mend);

// The text without the value of any secret setting, and without the password of any URL: neither as
// it stands there nor decoded, as clients say it.
std::string without_secrets(std::string text, const Settings& settings);

} // namespace urr::app
