// Where a request really came from. X-Forwarded-For is believed only from trusted proxies, from the
// right to the left and over all lines of it (some proxies add a line of their own): the last
// address that is not one of them is the client.
#pragma once
#include <string>
#include <vector>

#include "libs/http/message.hpp"

namespace urr {

// What one subscriber has and limits count by: an IPv4 address, or the /64 of an IPv6 address,
// since whoever has one address there has all of them.
Address subscriber_of(const Address& address);

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
