// The keys of the simulated house: the same in every run, known to nobody who matters.
#pragma once
#include "libs/contract/caller.hpp"
#include "libs/security/jwt.hpp"
#include "services/waiting_room/domain/receipt.hpp"

namespace urr::sim {

inline SigningKey signing_key(TokenType type) {
    std::array<unsigned char, 32> seed{};
    seed.fill(static_cast<unsigned char>(0x40 + int(type)));
    return SigningKey::from_seed(type, "sim", seed);
}

inline PublicKeys public_keys(TokenType type) {
    PublicKeys keys;
    keys.add(signing_key(type));
    return keys;
}

// One per caller and service.
inline HmacKey caller_key(std::string_view caller, std::string_view service) {
    return HmacKey("sim " + std::string(caller) + " " + std::string(service));
}

inline waiting_room::ReceiptKeys receipt_keys() {
    waiting_room::ReceiptKeys keys;
    keys.current.number = 1;
    return keys;
}

} // namespace urr::sim
