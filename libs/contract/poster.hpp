// Where an event's poster is to be had: ticket serves it, ticket and catalog name it. The file's
// name is the hash of its content, so that what is behind a path never changes.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/id.hpp"

namespace urr {

// "/api/v1/images/018f…/9f86….jpg"; empty where the event has none (`file` is empty).
inline std::optional<std::string> poster_path(const EventId& event, std::string_view file) {
    if (file.empty()) return std::nullopt;
    return "/api/v1/images/" + event.text() + "/" + std::string(file);
}

} // namespace urr
