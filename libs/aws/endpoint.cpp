#include "libs/aws/endpoint.hpp"

#include <charconv>

#include "libs/core/this_machine.hpp"

namespace urr::aws {

std::string Endpoint::host_text() const {
    return tls && port == 443 ? host : host + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    Endpoint out;
    std::string_view rest = text;
    if (rest.starts_with("https://")) {
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
        out.tls = false;
        out.port = 80;
    } else {
        return fail(Code::VALIDATION_FAILED,
                    "not an http:// or https:// address: " + std::string(text));
    }
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos) out.path = rest.substr(slash);
    std::string_view authority = rest.substr(0, slash);
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        const std::string_view digits = authority.substr(colon + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || out.port == 0)
            return fail(Code::VALIDATION_FAILED, "not a port: " + std::string(text));
        authority = authority.substr(0, colon);
    }
    if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']')
        authority = authority.substr(1, authority.size() - 2);
    out.host = authority;
    if (out.host.empty() || out.host.find_first_of("@?# ") != std::string::npos)
        return fail(Code::VALIDATION_FAILED, "no host in: " + std::string(text));
    return out;
}

Result<Endpoint> service_endpoint(std::string_view given, std::string_view service,
                                  std::string_view region, std::string_view ca_file) {
    std::string text(given);
    if (text.empty())
        text = "https://" + std::string(service) + "." + std::string(region) + ".amazonaws.com";
    Endpoint out = TRY_PLAIN(parse_endpoint(text));
    if (!out.tls && !is_this_machine(out.host))
        return fail(Code::VALIDATION_FAILED, "only this machine is spoken to without TLS: " + text);
    out.ca_file = ca_file;
    return out;
}

bool is_local_agent(std::string_view host) {
    return is_this_machine(host) || host == "169.254.170.2" || host == "169.254.170.23" ||
           host == "fd00:ec2::23";
}

std::unique_ptr<Transport> connect(RunLoop& loop, const Endpoint& endpoint,
                                   Duration request_timeout) {
    ClientLimits limits;
    limits.connections_max = 64;
    limits.request_timeout = request_timeout;
    limits.tells_timeout = false;
    HttpTarget target{endpoint.host, endpoint.port, endpoint.tls, endpoint.ca_file,
                      endpoint.connect_to};
    return connect_http(loop, target, limits);
}

} // namespace urr::aws
