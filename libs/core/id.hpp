// Identifiers: UUIDv7 (RFC 9562), 16 bytes, ordered by time of making to a quarter of a
// microsecond. Each kind is a type of its own, so that an event's id cannot stand where an
// account's is meant.
//
//     EventId event = EventId::make(clock.now(), random);
//     std::string text = event.text();                    // 0193..., 36 characters, lower case
//     std::optional<EventId> again = EventId::parse(text);
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/core/instant.hpp"
#include "libs/core/random.hpp"

namespace urr {

using IdBytes = std::array<unsigned char, 16>;

// The bytes of a UUIDv7: 48 bits of milliseconds, 12 of their fraction (RFC 9562 §6.2, method 3),
// then 62 random bits.
IdBytes make_id_bytes(Instant now, Random& random);
std::string id_text(const IdBytes& bytes);
// The canonical 36 characters, either case; any version or variant is taken.
std::optional<IdBytes> parse_id(std::string_view text);

template <class Kind>
struct Id {
    IdBytes bytes{};

    static Id make(Instant now, Random& random) { return {make_id_bytes(now, random)}; }
    static std::optional<Id> parse(std::string_view text) {
        const auto parsed = parse_id(text);
        if (!parsed) return std::nullopt;
        return Id{*parsed};
    }
    // From a store's 16 bytes; anything else gives the zero id.
    static Id from(std::span<const unsigned char> raw) {
        Id id;
        if (raw.size() == id.bytes.size()) std::memcpy(id.bytes.data(), raw.data(), raw.size());
        return id;
    }
    std::string text() const { return id_text(bytes); }
    bool is_zero() const { return bytes == IdBytes{}; }
    // Good enough to spread ids over shards and hash tables: the random half.
    std::size_t hash() const {
        std::size_t h;
        std::memcpy(&h, bytes.data() + 8, sizeof h);
        return h;
    }
    auto operator<=>(const Id&) const = default;
};

using EventId = Id<struct EventKind>;
using AccountId = Id<struct AccountKind>;
using ReservationId = Id<struct ReservationKind>;
using TicketId = Id<struct TicketKind>;
using PaymentId = Id<struct PaymentKind>;
using MessageId = Id<struct MessageKind>;
// What a payment pays for: a reservation today; memberships, transfers and offers later.
using OrderId = Id<struct OrderKind>;

// For unordered containers: std::unordered_map<EventId, Room, IdHash>.
struct IdHash {
    template <class Kind>
    std::size_t operator()(const Id<Kind>& id) const {
        return id.hash();
    }
};

} // namespace urr
