// The bodies of the public answers, appended to a buffer without allocation of their own. The door
// writes them on the hot path and the routes in the slow one, so that both say the same.
#pragma once
#include <cassert>
#include <charconv>
#include <cstring>
#include <string>

#include "services/waiting_room/rooms.hpp"

namespace urr::waiting_room {

inline void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// A short text on the stack: what the hot path puts together from many small pieces.
class ShortText {
public:
    static constexpr std::size_t bytes_max = 512; // a place with twenty digits everywhere has 420

    ShortText& append(std::string_view text) {
        assert(std::size_t(end_ - bytes_) + text.size() <= bytes_max);
        std::memcpy(end_, text.data(), text.size());
        end_ += text.size();
        return *this;
    }
    void append_number(std::uint64_t number) {
        assert(end_ + 20 <= bytes_ + bytes_max);
        end_ = std::to_chars(end_, bytes_ + bytes_max, number).ptr;
    }
    std::string_view view() const { return {bytes_, std::size_t(end_ - bytes_)}; }

private:
    char bytes_[bytes_max];
    char* end_ = bytes_;
};
inline void append_number(ShortText& out, std::uint64_t number) { out.append_number(number); }

// {requestId, position, epoch, serving, ahead, waitSeconds, pollAfterSeconds}
void append_place(std::string& out, std::string_view request_id, const Receipt& receipt,
                  const RoomView& view);
// {admitted: false, position, serving, ahead, waitSeconds, pollAfterSeconds}
void append_waiting(std::string& out, const Receipt& receipt, const RoomView& view);
// {isActive, state, epoch, phase, serving, voidsServed, nextPosition, waiting, rate, soldOut,
// updatedAt}; `given`: positions of the open lease that are out.
void append_status(std::string& out, const RoomView& view, std::uint64_t given);

} // namespace urr::waiting_room
