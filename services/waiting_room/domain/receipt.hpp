// The receipt: a place in the line that its holder keeps and we do not. It is signed, so checking
// it needs no stored state: ten million waiting people cost nothing, and a lost store costs nobody
// their place.
//
//     std::string text = write_receipt(keys, event, receipt);      // 80 characters, base64url
//     std::optional<Receipt> again = read_receipt(keys, event, text);
//
// 60 bytes, numbers with the highest byte first:
//     key number 1 | phase 2 | position 6 | voids before 6 | epoch 8 | second 5 | id 16 | code 16
// (the waiting page reads the position and the voids before it to work out its own rank).
// The code is SipHash-2-4-128 over the event's id and all bytes before it, so a receipt of another
// event is as good as forged. One text stands for one receipt: decoding is strict. Pure.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/id.hpp"
#include "services/waiting_room/domain/siphash.hpp"

namespace urr::waiting_room {

struct Receipt {
    std::uint64_t position = 0; // from 1; 0: taken while the room was off, no place
    std::uint64_t epoch = 0;    // store time in µs of the room's last reset
    std::uint16_t phase = 0;
    std::uint64_t second = 0;       // of the lease, store time in seconds since 1970
    std::uint64_t voids_before = 0; // positions before this one that nobody has
    IdBytes id{};                   // what tier 2 binds to an account (the token's jti)
    bool operator==(const Receipt&) const = default;
};

// Today's key signs; yesterday's is still accepted while receipts that it signed are about.
struct ReceiptKeys {
    struct Key {
        unsigned char number = 0;
        SipKey secret{};
    };
    Key current;
    std::optional<Key> previous;
};

inline constexpr std::size_t receipt_bytes = 60;
inline constexpr std::size_t receipt_text_size = 80;
using ReceiptText = std::array<char, receipt_text_size>;

// No allocation: the door writes one per assigned person. Numbers beyond their field are our bug.
ReceiptText write_receipt(const ReceiptKeys& keys, const EventId& event, const Receipt& receipt);
// Empty when the text is malformed, forged, of another event or of a key that is gone.
std::optional<Receipt> read_receipt(const ReceiptKeys& keys, const EventId& event,
                                    std::string_view text);

} // namespace urr::waiting_room
