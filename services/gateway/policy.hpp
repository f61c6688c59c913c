// What the gateway knows of a path: which service it belongs to, which limit counts, whether an
// entry token is needed. Pure.
#pragma once
#include <optional>
#include <string_view>

#include "libs/http/message.hpp"

namespace urr::gateway {

enum class Target : std::uint8_t { auth, payment, catalog, ticket, queue, waiting_room };
inline constexpr std::size_t targets = 6;
std::string_view target_name(Target target);

enum class Limit : std::uint8_t { auth, queue, booking, general, webhook, exempt };

// Empty: no service has that path.
std::optional<Target> target_of(std::string_view path);
Limit limit_of(Method method, std::string_view path);
bool needs_entry(Method method, std::string_view path);

} // namespace urr::gateway
