// An array of PostgreSQL in its binary form, to carry many rows in one parameter:
//
//     IntegerArray seats;
//     for (const auto& seat : batch) seats.add(seat.number);
//     co_await tx.run(lock_seats, {seats});       // … unnest(?1::bigint[]) …
//
// Source: PostgreSQL 16, src/include/utils/array.h and array_recv: dimensions, has nulls, the
// elements' type; per dimension its size and lower bound; each element with its length before it.
// Pure.
#pragma once
#include <bit>
#include <cstring>
#include <span>
#include <string>

#include "libs/sql/value.hpp"

namespace urr {

// An integer as the wire has it: the high byte first.
template <class Integer>
Integer in_network_order(Integer number) {
    return std::endian::native == std::endian::little ? std::byteswap(number) : number;
}

template <Value::Kind array_kind>
class Array {
public:
    void add(std::int64_t number)
        requires(array_kind == Value::Kind::integers)
    {
        const std::int64_t wire = in_network_order(number);
        append(reinterpret_cast<const char*>(&wire), sizeof wire);
    }
    void add(Instant at)
        requires(array_kind == Value::Kind::integers)
    {
        add(at.us);
    }
    void add(std::string_view text)
        requires(array_kind == Value::Kind::texts)
    {
        append(text.data(), text.size());
    }
    void add(std::span<const unsigned char> bytes)
        requires(array_kind == Value::Kind::byte_strings)
    {
        append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    template <class IdKind>
    void add(const Id<IdKind>& id) {
        add(std::span<const unsigned char>(id.bytes));
    }
    std::int64_t size() const { return count_; }

    // A view: the array must live until the statement has run, and get nothing more before.
    operator Value() {
        const std::int32_t head[] = {count_ ? 1 : 0, 0, element_type, count_, 1};
        for (std::size_t i = 0; i < std::size(head); ++i) {
            const std::int32_t wire = in_network_order(head[i]);
            std::memcpy(&text_[i * sizeof wire], &wire, sizeof wire);
        }
        const std::size_t without_dimensions = 3 * sizeof(std::int32_t);
        return Value(array_kind,
                     std::string_view(text_).substr(0, count_ ? text_.npos : without_dimensions));
    }

private:
    // As PostgreSQL's catalog fixes them: bytea, int8, text.
    static constexpr std::int32_t element_type = array_kind == Value::Kind::byte_strings ? 17
                                                 : array_kind == Value::Kind::integers   ? 20
                                                                                         : 25;

    void append(const char* data, std::size_t size) {
        const std::int32_t length = in_network_order(std::int32_t(size));
        text_.append(reinterpret_cast<const char*>(&length), sizeof length);
        text_.append(data, size);
        ++count_;
    }

    std::string text_ = std::string(5 * sizeof(std::int32_t), '\0');
    std::int32_t count_ = 0;
};

using IntegerArray = Array<Value::Kind::integers>;
using TextArray = Array<Value::Kind::texts>;
using BytesArray = Array<Value::Kind::byte_strings>;

} // namespace urr
