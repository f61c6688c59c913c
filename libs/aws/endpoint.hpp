// The address of a service: https://sqs.ap-northeast-2.amazonaws.com, or a server on this machine.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/core/result.hpp"
#include "libs/http/client.hpp"

namespace urr::aws {

struct Endpoint {
    bool tls = true;
    std::string host; // without port
    std::uint16_t port = 443;
    std::string path = "/";
    std::string ca_file;    // empty: the system's
    std::string connect_to; // an address instead of what the name says; empty: the name
    // As the Host header has it.
    std::string host_text() const;
};

// VALIDATION_FAILED for what is no http:// or https:// address.
Result<Endpoint> parse_endpoint(std::string_view text);
// `given`, or the service's public address in that region.
Result<Endpoint> service_endpoint(std::string_view given, std::string_view service,
                                  std::string_view region, std::string_view ca_file);
// Loopback, and the addresses at which ECS and EKS offer credentials.
bool is_local_agent(std::string_view host);

std::unique_ptr<Transport> connect(RunLoop& loop, const Endpoint& endpoint,
                                   Duration request_timeout = seconds(5));

} // namespace urr::aws
