#include "libs/http/client_address.hpp"

#include <algorithm>
#include <charconv>
#include <span>

namespace urr {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool same_bits(const Address& a, const Address& b, int bits) {
    for (int i = 0; i < bits; ++i) {
        const auto mask = (unsigned char)(0x80 >> (i % 8));
        if ((a.bytes[std::size_t(i / 8)] ^ b.bytes[std::size_t(i / 8)]) & mask) return false;
    }
    return true;
}

} // namespace

Result<TrustedProxies> TrustedProxies::parse(std::string_view list) {
    TrustedProxies proxies;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view item = trimmed(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        if (item.empty()) continue;
        const std::size_t slash = item.find('/');
        const auto address = Address::parse(item.substr(0, slash));
        const bool version4 = item.find(':') == std::string_view::npos;
        int bits = version4 ? 32 : 128;
        if (slash != std::string_view::npos) {
            const std::string_view text = item.substr(slash + 1);
            const auto read = std::from_chars(text.data(), text.data() + text.size(), bits);
            if (read.ec != std::errc() || read.ptr != text.data() + text.size()) bits = -1;
        }
        if (!address || bits < 0 || bits > (version4 ? 32 : 128))
            return fail(Code::BAD_REQUEST, "not a network: " + std::string(item));
        proxies.networks_.push_back({*address, version4 ? bits + 96 : bits});
    }
    return proxies;
}

bool TrustedProxies::contains(const Address& address) const {
    for (const Network& network : networks_)
        if (same_bits(network.address, address, network.bits)) return true;
    return false;
}

Address TrustedProxies::client_of(const Request& request) const {
    Address client = request.peer;
    if (networks_.empty() || !contains(client)) return client;
    const std::span<const Header> headers = request.headers();
    for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
        if (!same_header(header->name, "X-Forwarded-For")) continue;
        std::string_view list = header->value;
        while (!list.empty()) {
            const std::size_t comma = list.rfind(',');
            const bool last = comma == std::string_view::npos;
            const auto address = Address::parse(trimmed(last ? list : list.substr(comma + 1)));
            list = last ? std::string_view() : list.substr(0, comma);
            if (!address) return client;
            client = *address;
            if (!contains(client)) return client;
        }
    }
    return client;
}

Address subscriber_of(const Address& address) {
    Address prefix = address;
    const auto high = std::span(prefix.bytes).first(8), low = std::span(prefix.bytes).last(8);
    // ::ffff:a.b.c.d has nothing in the upper half.
    if (std::ranges::any_of(high, [](unsigned char byte) { return byte != 0; }))
        std::ranges::fill(low, 0);
    return prefix;
}

} // namespace urr
