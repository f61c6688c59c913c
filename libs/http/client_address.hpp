// Where a request really came from. X-Forwarded-For is believed only from trusted proxies, from the
// right to the left: the last address that is not one of them is the client.
#pragma once
#include <string>
#include <vector>

#include "libs/http/message.hpp"

namespace urr {

class TrustedProxies {
public:
    // "127.0.0.1/32, ::1/128, 10.0.0.0/16". BAD_REQUEST names what is not a network.
    static Result<TrustedProxies> parse(std::string_view list);
    bool contains(const Address& address) const;
    Address client_of(const Request& request) const;

private:
    struct Network {
        Address address;
        int bits; // of 128
    };
    std::vector<Network> networks_;
};

} // namespace urr
