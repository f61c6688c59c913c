// What an organizer can set while the sale runs, and what a change would do: each lever says so
// before it is pulled (`?dryRun=true`). Pure.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/core/json.hpp"

namespace urr::queue {

// Who decides the room's state: the sale's time and stock (automatic), or the organizer.
//     prequeue  numbers are given, nobody is let in, whatever the time
//     off       no waiting room: whoever comes joins this line by arrival
enum class RoomLever : std::uint8_t { automatic, prequeue, off };
constexpr std::array<EnumName<RoomLever>, 3> room_lever_names{
    {{RoomLever::automatic, "auto"}, {RoomLever::prequeue, "prequeue"}, {RoomLever::off, "off"}}};
constexpr auto enum_names(RoomLever) { return room_lever_names; }

// The number of each lever's last pull: higher than all before (by time, in µs), so that of two
// reports the newer is known, whoever tells them and when. 0: it was never pulled and stands as the
// settings have it.
struct PullNumbers {
    std::uint64_t threshold = 0, per_second = 0, paused = 0, room = 0, message = 0;
    bool operator==(const PullNumbers&) const = default;
    std::uint64_t last() const { return std::max({threshold, per_second, paused, room, message}); }
};

struct Levers {
    std::int64_t threshold = 1000; // active at once
    std::int64_t per_second = 500; // admitted a second, at most
    bool paused = false;
    RoomLever room = RoomLever::automatic;
    std::string message; // to all who wait; empty: none
    PullNumbers pulls;
    bool operator==(const Levers&) const = default;
};

// One pull: what is absent stays as it was.
struct Pull {
    std::optional<std::int64_t> threshold, per_second;
    std::optional<bool> paused;
    std::optional<RoomLever> room;
    std::optional<std::string> message;
    bool clear = false; // everybody loses place and slot; the epoch rises
};

// The table of levers: of each its name in the stores, where it stands, where the number of its
// last pull does, and where a pull has it. What is done with every lever alike goes through it.
template <class Visit>
constexpr void each_lever(Visit&& visit) {
    visit("threshold", &Levers::threshold, &PullNumbers::threshold, &Pull::threshold);
    visit("per_second", &Levers::per_second, &PullNumbers::per_second, &Pull::per_second);
    visit("paused", &Levers::paused, &PullNumbers::paused, &Pull::paused);
    visit("room", &Levers::room, &PullNumbers::room, &Pull::room);
    visit("message", &Levers::message, &PullNumbers::message, &Pull::message);
}

inline Levers pulled(Levers levers, const Pull& pull, std::uint64_t number) {
    each_lever([&](std::string_view, auto lever, auto own, auto wanted) {
        if (!(pull.*wanted)) return;
        levers.*lever = *(pull.*wanted);
        levers.pulls.*own = number;
    });
    return levers;
}

// Of each lever the newest pull.
inline Levers newest(Levers levers, const Levers& others) {
    each_lever([&](std::string_view, auto lever, auto own, auto) {
        if (others.pulls.*own <= levers.pulls.*own) return;
        levers.*lever = others.*lever;
        levers.pulls.*own = others.pulls.*own;
    });
    return levers;
}

struct Crowd {
    std::int64_t waiting = 0, awake = 0, active = 0; // here
    std::int64_t in_room = 0;                        // with a number of the waiting room
};

struct Effect {
    std::int64_t lose_places = 0;    // here and in the waiting room
    std::int64_t lose_slots = 0;     // active ones whose entry ends
    std::int64_t admitted_next = 0;  // let in at the next tick
    std::int64_t over_threshold = 0; // stay until their slot ends, though there are too many
    std::int64_t told = 0;           // who see the message
    bool operator==(const Effect&) const = default;
};

inline Effect effect_of(const Levers& after, const Pull& pull, const Crowd& crowd, bool on_sale) {
    Effect effect;
    if (pull.clear) {
        effect.lose_places = crowd.waiting + crowd.in_room;
        effect.lose_slots = crowd.active;
        return effect;
    }
    const bool admits = on_sale && !after.paused && after.room != RoomLever::prequeue;
    const std::int64_t room = std::max<std::int64_t>(0, after.threshold - crowd.active);
    if (admits) effect.admitted_next = std::min({room, after.per_second, crowd.awake});
    effect.over_threshold = std::max<std::int64_t>(0, crowd.active - after.threshold);
    if (pull.message) effect.told = crowd.waiting;
    return effect;
}

} // namespace urr::queue
