// The life of a payment attempt, as a pure machine: what is not in the table does not happen.
//
// started: under way, its outcome is not known here. refused: ticket did not let it begin. voided:
// the provider can no longer capture it. stray: its money came although the attempt had ended, and
// is being given back.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace urr::payment {

// Numbers are stored: they never change their meaning.
enum class AttemptState : std::uint8_t {
    started = 0,
    captured = 1,
    declined = 2,
    refused = 3,
    voided = 4,
    refunded = 5,
    stray = 6
};
enum class AttemptEvent : std::uint8_t { captured, declined, refused, voided, refunded };

struct AttemptTransition {
    AttemptState from;
    AttemptEvent event;
    AttemptState to;
};
inline constexpr AttemptTransition attempt_transitions[] = {
    {AttemptState::started, AttemptEvent::captured, AttemptState::captured},
    {AttemptState::started, AttemptEvent::declined, AttemptState::declined},
    {AttemptState::started, AttemptEvent::refused, AttemptState::refused},
    {AttemptState::started, AttemptEvent::voided, AttemptState::voided},
    {AttemptState::declined, AttemptEvent::captured, AttemptState::stray},
    {AttemptState::refused, AttemptEvent::captured, AttemptState::stray},
    {AttemptState::voided, AttemptEvent::captured, AttemptState::stray},
    {AttemptState::captured, AttemptEvent::refunded, AttemptState::refunded},
    {AttemptState::stray, AttemptEvent::refunded, AttemptState::refunded},
};

// The state after the event; empty: the event changes nothing in that state.
constexpr std::optional<AttemptState> after(AttemptState state, AttemptEvent event) {
    for (const AttemptTransition& row : attempt_transitions)
        if (row.from == state && row.event == event) return row.to;
    return std::nullopt;
}

constexpr std::string_view state_name(AttemptState state) {
    constexpr std::string_view names[] = {"pending", "captured", "declined", "refused",
                                          "voided",  "refunded", "refunding"};
    return names[std::size_t(state)];
}

} // namespace urr::payment
