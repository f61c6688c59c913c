// The bodies of the public answers, appended to a buffer without allocation of their own. The door
// writes them on the hot path and the routes in the slow one, so that both say the same.
#pragma once
#include <charconv>
#include <string>

#include "services/waiting_room/rooms.hpp"

namespace urr::waiting_room {

inline void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// {requestId, position, epoch, serving, ahead, waitSeconds, pollAfterSeconds}
void append_place(std::string& out, std::string_view request_id, const Receipt& receipt,
                  const RoomView& view);
// {admitted: false, position, serving, ahead, waitSeconds, pollAfterSeconds}
void append_waiting(std::string& out, const Receipt& receipt, const RoomView& view);
// {isActive, state, epoch, phase, serving, voidsServed, nextPosition, waiting, rate, soldOut,
// updatedAt}; `given`: positions of the open lease that are out.
void append_status(std::string& out, const RoomView& view, std::uint64_t given);

} // namespace urr::waiting_room
