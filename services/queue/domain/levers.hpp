// What an organizer can set while the sale runs, and what a change would do: each lever says so
// before it is pulled (`?dryRun=true`). Pure.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

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

inline Levers pulled(Levers levers, const Pull& pull, std::uint64_t number) {
    const auto set = [number](auto& lever, std::uint64_t& own, const auto& to) {
        if (!to) return;
        lever = *to;
        own = number;
    };
    set(levers.threshold, levers.pulls.threshold, pull.threshold);
    set(levers.per_second, levers.pulls.per_second, pull.per_second);
    set(levers.paused, levers.pulls.paused, pull.paused);
    set(levers.room, levers.pulls.room, pull.room);
    set(levers.message, levers.pulls.message, pull.message);
    return levers;
}

// Of each lever the newest pull.
inline Levers newest(Levers levers, const Levers& others) {
    const auto take = [](auto& lever, std::uint64_t& own, const auto& other, std::uint64_t number) {
        if (number <= own) return;
        lever = other;
        own = number;
    };
    const PullNumbers& theirs = others.pulls;
    take(levers.threshold, levers.pulls.threshold, others.threshold, theirs.threshold);
    take(levers.per_second, levers.pulls.per_second, others.per_second, theirs.per_second);
    take(levers.paused, levers.pulls.paused, others.paused, theirs.paused);
    take(levers.room, levers.pulls.room, others.room, theirs.room);
    take(levers.message, levers.pulls.message, others.message, theirs.message);
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
