// The small files that hold keys: read whole, written so that a crash leaves the old or the new.
#pragma once
#include <string>
#include <string_view>

#include "libs/core/result.hpp"

namespace urr::app {

// Without the line break at its end. UNAVAILABLE says what to do: the file is not there, not
// readable, or too large to be a key.
Result<std::string> read_key_file(const std::string& path);
// Written beside it, synced and renamed; for its owner alone, unless others may read it.
Result<> replace_key_file(const std::string& path, std::string_view text, bool is_public = false);
// Written beside it, synced and linked: whatever kills the process, the key is whole or not there.
// What a kill leaves is NAME.PID.new. False: there was a key already. An empty file is none:
// earlier versions left one when they were killed in between.
Result<bool> create_key_file(const std::string& path, std::string_view text);

} // namespace urr::app
