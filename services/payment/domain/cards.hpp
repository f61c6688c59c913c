// The cards of the sandbox acquirer: the number says what will happen (README).
#pragma once
#include <cstdint>
#include <string_view>

namespace urr::payment {

enum class CardBehaviour : std::uint8_t {
    approve,  // 4242 4242 4242 4242
    decline,  // 4000 0000 0000 0002
    delay,    // 4000 0000 0000 0077: approved after two seconds
    twice,    // 4000 0000 0000 0085: approved, and called back twice
    hang,     // 4000 0000 0000 0119: the provider itself never decides
    time_out, // 4000 0000 0000 0259: no answer; captured two seconds later, and called back
    lose,     // 4000 0000 0000 0341: no answer; nothing ever arrived there
    silent,   // 4000 0000 0000 0366: captured, but neither an answer nor a call back
    unknown_card
};

constexpr CardBehaviour behaviour_of(std::string_view card) {
    if (card == "4242424242424242") return CardBehaviour::approve;
    if (card == "4000000000000002") return CardBehaviour::decline;
    if (card == "4000000000000077") return CardBehaviour::delay;
    if (card == "4000000000000085") return CardBehaviour::twice;
    if (card == "4000000000000119") return CardBehaviour::hang;
    if (card == "4000000000000259") return CardBehaviour::time_out;
    if (card == "4000000000000341") return CardBehaviour::lose;
    if (card == "4000000000000366") return CardBehaviour::silent;
    return CardBehaviour::unknown_card;
}

} // namespace urr::payment
