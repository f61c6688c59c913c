// Is a port free, or who has it? Connects and asks for /health; waits at most a second.
#pragma once
#include <cstdint>
#include <string>

namespace urr::app {

enum class PortState { free, serving, taken, unusable };

PortState probe_port(const std::string& address, std::uint16_t port);

} // namespace urr::app
