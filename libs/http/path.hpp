// Paths are decoded once, strictly, and matched afterwards: a path that two readers could take for
// two different ones is refused.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/result.hpp"

namespace urr {

// The path of a request target ("/a/b%20c?x=1") in one decoding. A path without escapes is returned
// as a view into the target; otherwise it is written to `storage`. AMBIGUOUS_PATH for an encoded
// slash or backslash, dot segments, empty segments, control characters and broken escapes.
Result<std::string_view> decode_path(std::string_view target, std::string& storage);

// The value of a query parameter, decoded ('+' is a space); empty optional when it is absent,
// BAD_REQUEST when it is broken or given twice.
Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name);

} // namespace urr
