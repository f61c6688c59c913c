// What goes into a statement and what comes out of it. Both databases share four kinds: null,
// 64-bit integers (times in microseconds, money, booleans as 0 and 1), text, and bytes (ids).
//
//     Rows rows = TRY(co_await tx.run(find_seat, {event, number}));
//     if (rows.empty()) co_return fail(Code::NOT_FOUND);
//     std::int64_t version = rows.integer(0, 2);
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"
#include "libs/core/money.hpp"

namespace urr {

// A bound parameter: a view; what it points at must live until the statement has run.
struct Value {
    // The last three: array.hpp.
    enum class Kind : std::uint8_t { null, integer, text, bytes, integers, texts, byte_strings };
    Kind kind = Kind::null;
    std::int64_t number = 0;
    const char* data = nullptr;
    std::size_t size = 0;

    Value() = default;
    Value(std::nullptr_t) {}
    Value(std::int64_t v) : kind(Kind::integer), number(v) {}
    Value(int v) : Value(std::int64_t(v)) {}
    Value(std::uint32_t v) : Value(std::int64_t(v)) {}
    Value(std::uint64_t v) : Value(std::int64_t(v)) {}
    Value(bool v) : Value(std::int64_t(v)) {}
    Value(Instant v) : Value(v.us) {}
    Value(Duration v) : Value(v.us) {}
    Value(Won v) : Value(v.amount) {}
    Value(std::string_view v) : kind(Kind::text), data(v.data()), size(v.size()) {}
    Value(const std::string& v) : Value(std::string_view(v)) {}
    Value(const char* v) : Value(std::string_view(v)) {}
    Value(std::span<const unsigned char> v)
        : kind(Kind::bytes), data(reinterpret_cast<const char*>(v.data())), size(v.size()) {}
    template <class IdKind>
    Value(const Id<IdKind>& id) : Value(std::span<const unsigned char>(id.bytes)) {}
    Value(const IdBytes& id) : Value(std::span<const unsigned char>(id)) {}
    Value(Kind array, std::string_view binary)
        : kind(array), data(binary.data()), size(binary.size()) {}
};

// The rows that a statement gave, owned. Asking for a cell of another kind gives zero or empty.
class Rows {
public:
    std::size_t size() const { return columns_ ? cells_.size() / columns_ : 0; }
    bool empty() const { return cells_.empty(); }
    std::size_t columns() const { return columns_; }
    Value::Kind kind(std::size_t row, std::size_t column) const { return cell(row, column).kind; }
    // Rows that an INSERT, UPDATE or DELETE touched.
    std::int64_t changes() const { return changes_; }

    bool is_null(std::size_t row, std::size_t column) const {
        return cell(row, column).kind == Value::Kind::null;
    }
    std::int64_t integer(std::size_t row, std::size_t column) const {
        return cell(row, column).number;
    }
    bool boolean(std::size_t row, std::size_t column) const { return integer(row, column) != 0; }
    Instant instant(std::size_t row, std::size_t column) const { return {integer(row, column)}; }
    Won won(std::size_t row, std::size_t column) const { return {integer(row, column)}; }
    std::string_view text(std::size_t row, std::size_t column) const {
        const Cell& c = cell(row, column);
        return std::string_view(bytes_).substr(c.offset, c.size);
    }
    std::span<const unsigned char> bytes(std::size_t row, std::size_t column) const {
        const std::string_view view = text(row, column);
        return {reinterpret_cast<const unsigned char*>(view.data()), view.size()};
    }
    template <class IdType>
    IdType id(std::size_t row, std::size_t column) const {
        return IdType::from(bytes(row, column));
    }

    // For the engines.
    void begin(std::size_t columns) { columns_ = columns; }
    void add_null() { cells_.push_back({Value::Kind::null, 0, 0, 0}); }
    void add_integer(std::int64_t v) { cells_.push_back({Value::Kind::integer, v, 0, 0}); }
    void add_bytes(Value::Kind kind, std::string_view v) {
        cells_.push_back({kind, 0, std::uint32_t(bytes_.size()), std::uint32_t(v.size())});
        bytes_.append(v);
    }
    void set_changes(std::int64_t n) { changes_ = n; }

private:
    struct Cell {
        Value::Kind kind;
        std::int64_t number;
        std::uint32_t offset, size;
    };
    const Cell& cell(std::size_t row, std::size_t column) const {
        return cells_[row * columns_ + column];
    }
    std::size_t columns_ = 0;
    std::int64_t changes_ = 0;
    std::vector<Cell> cells_;
    std::string bytes_;
};

} // namespace urr
