// An array of PostgreSQL as the text that its input function reads, to carry many rows in one
// parameter:
//
//     ArrayText seats;
//     for (const auto& seat : batch) seats.add(seat.number);
//     co_await tx.run(lock_seats, {seats});       // … unnest(?1::text::bigint[]) …
//
// Source: PostgreSQL 16, "8.15.2 Array Value Input". Pure.
#pragma once
#include <span>
#include <string>

#include "libs/sql/value.hpp"

namespace urr {

class ArrayText {
public:
    void add(std::int64_t number) { begin().append(std::to_string(number)); }
    void add(Instant at) { add(at.us); }
    // Any text without a zero character.
    void add(std::string_view text) {
        begin() += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    void add(const std::string& text) { add(std::string_view(text)); }
    void add(std::span<const unsigned char> bytes) {
        constexpr char digits[] = "0123456789abcdef";
        begin() += "\"\\\\x";
        for (const unsigned char byte : bytes) {
            text_ += digits[byte >> 4];
            text_ += digits[byte & 15];
        }
        text_ += '"';
    }
    template <class IdKind>
    void add(const Id<IdKind>& id) {
        add(std::span<const unsigned char>(id.bytes));
    }

    // A view: the array must live until the statement has run, and get nothing more before.
    operator Value() {
        if (!closed_) text_ += '}';
        closed_ = true;
        return std::string_view(text_);
    }

private:
    std::string& begin() {
        if (text_.size() > 1) text_ += ',';
        return text_;
    }
    std::string text_ = "{";
    bool closed_ = false;
};

} // namespace urr
