// must(result): the value of a result that cannot be an error unless the program (or a test) is
// wrong. Prints the error and aborts otherwise.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "libs/core/result.hpp"

namespace urr {

template <class T>
T must(Result<T> result) {
    if (!result) {
        const std::string_view text = result.error().text();
        std::fprintf(stderr, "unexpected %.*s: %.*s\n", int(name(result.error().code()).size()),
                     name(result.error().code()).data(), int(text.size()), text.data());
        std::abort();
    }
    return detail::take(std::move(result));
}

} // namespace urr
