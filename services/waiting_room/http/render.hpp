// The bodies of the public answers, appended to a buffer without allocation of their own. The door
// writes them on the hot path and the routes in the slow one, so that both say the same.
#pragma once
#include <array>
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

// "00" to "99".
inline constexpr auto digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[i * 2] = char('0' + i / 10);
        pairs[i * 2 + 1] = char('0' + i % 10);
    }
    return pairs;
}();

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
    // Two digits at a time from the end of a scratch, which is then copied whole: no counting of
    // digits before, no copying of a varying length after.
    void append_number(std::uint64_t number) {
        constexpr std::size_t digits_max = 20;
        assert(end_ + digits_max <= bytes_ + bytes_max);
        char digits[2 * digits_max];
        char* first = digits + digits_max;
        while (number >= 100) {
            const char* pair = digit_pairs.data() + number % 100 * 2;
            number /= 100;
            first -= 2;
            std::memcpy(first, pair, 2);
        }
        if (number >= 10) {
            first -= 2;
            std::memcpy(first, digit_pairs.data() + number * 2, 2);
        } else {
            *--first = char('0' + number);
        }
        std::memcpy(end_, first, digits_max); // what follows the number is written over later
        end_ += digits + digits_max - first;
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
// The same in two parts around the receipt.
inline constexpr std::string_view place_begin = "{\"requestId\":\"";
void append_rest_of_place(std::string& out, const Receipt& receipt, const RoomView& view);
// {admitted: false, position, serving, ahead, waitSeconds, pollAfterSeconds}
void append_waiting(std::string& out, const Receipt& receipt, const RoomView& view);
// {isActive, state, epoch, phase, serving, voidsServed, nextPosition, waiting, rate, soldOut,
// updatedAt}; `given`: positions of the open lease that are out.
void append_status(std::string& out, const RoomView& view, std::uint64_t given);

} // namespace urr::waiting_room
