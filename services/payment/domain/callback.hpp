// What a provider calls back with, and how it proves that it is the provider: a header
// "t=<seconds>,v1=<hex HMAC-SHA256 of '<seconds>.<body>'>", as several providers do.
//
//     TRY_PLAIN(check_signature(key, header, body, now));
//     Callback told = TRY_PLAIN(read_json<Callback>(body));
#pragma once
#include "libs/core/json.hpp"
#include "libs/security/mac.hpp"

namespace urr::payment {

inline constexpr std::string_view signature_header = "X-Provider-Signature";
// A callback that is older, or of the future, was recorded and is played again.
inline constexpr Duration callback_life = seconds(300);

enum class ToldCharge : std::uint8_t { captured, declined };
constexpr auto enum_names(ToldCharge) {
    return std::array{EnumName<ToldCharge>{ToldCharge::captured, "charge.captured"},
                      EnumName<ToldCharge>{ToldCharge::declined, "charge.declined"}};
}

struct Callback {
    static constexpr bool open = true; // a provider adds members when it likes
    MessageId id;                      // the same when it calls again
    ToldCharge type = ToldCharge::captured;
    PaymentId key; // the attempt
    Won amount;
};
template <class Archive>
void describe(Archive& a, Callback& v) {
    a.field("id", v.id);
    a.field("type", v.type);
    a.field("key", v.key);
    a.field("amount", v.amount);
}

std::string sign_callback(const HmacKey& key, std::string_view body, Instant now);
// WEBHOOK_SIGNATURE_INVALID: forged, malformed or stale.
Result<> check_signature(const HmacKey& key, std::string_view header, std::string_view body,
                         Instant now);

} // namespace urr::payment
