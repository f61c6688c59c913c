#include "services/waiting_room/http/door.hpp"

#include <charconv>

namespace urr::waiting_room {

namespace {

constexpr Address v4_base{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

} // namespace

bool TrustedPeers::add(std::string_view network) {
    const std::size_t slash = network.find('/');
    const auto address = Address::parse(network.substr(0, slash));
    if (!address) return false;
    const bool v4 = std::memcmp(address->bytes.data(), v4_base.bytes.data(), 12) == 0;
    unsigned bits = v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        const std::string_view digits = network.substr(slash + 1);
        unsigned given = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), given);
        if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || given > bits)
            return false;
        bits = given;
    }
    networks_.push_back({*address, v4 ? bits + 96 : bits});
    return true;
}

bool TrustedPeers::has(const Address& address) const {
    for (const Network& network : networks_) {
        unsigned equal = 0;
        while (equal < network.bits &&
               !((address.bytes[equal / 8] ^ network.address.bytes[equal / 8]) &
                 (0x80 >> (equal % 8))))
            ++equal;
        if (equal == network.bits) return true;
    }
    return false;
}

Address TrustedPeers::client(const Request& request) const {
    Address address = request.peer;
    if (networks_.empty() || !has(address)) return address;
    std::string_view chain = request.header("x-forwarded-for");
    while (!chain.empty()) {
        const std::size_t comma = chain.rfind(',');
        const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
        const auto before = Address::parse(trim(chain.substr(start)));
        if (!before) return address;
        address = *before;
        if (!has(address)) return address;
        chain = comma == std::string_view::npos ? std::string_view() : chain.substr(0, comma);
    }
    return address;
}

} // namespace urr::waiting_room
