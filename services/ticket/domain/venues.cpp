#include <algorithm>

#include "services/ticket/domain/layout.hpp"

namespace urr::ticket {

namespace {

// A block of seats as a venue's plan shows it.
struct Block {
    const char* grade;
    std::int64_t price;
    std::int32_t rows, seats_per_row;
};

constexpr Block hall_vip{"VIP", 165'000, 14, 20}, hall_side{"R", 132'000, 14, 12},
    hall_balcony{"S", 99'000, 8, 20}, hall_balcony_side{"S", 99'000, 8, 14};
constexpr Block arena_floor{"VIP", 198'000, 20, 30}, arena_lower{"R", 154'000, 25, 20},
    arena_upper{"S", 121'000, 25, 18};
constexpr Block stadium_pitch{"VIP", 220'000, 25, 40}, stadium_lower{"R", 165'000, 25, 40},
    stadium_upper{"A", 110'000, 25, 40};

constexpr std::int32_t aisle = 2; // seat widths between blocks

Section section(std::string name, const Block& block, std::int32_t x, std::int32_t y) {
    return {std::move(name),
            block.grade,
            Won{block.price},
            block.rows,
            block.seats_per_row,
            x,
            y,
            {},
            {}};
}

// Wheelchair places: the outer two at both ends of a row.
void make_accessible(Section& s, std::int32_t row) {
    const std::int32_t first = row * s.seats_per_row, last = first + s.seats_per_row - 1;
    s.accessible = {first, first + 1, last - 1, last};
}

// What stands in the middle of a block's last rows: the console.
void put_console(Section& s, std::int32_t rows, std::int32_t seats) {
    const std::int32_t left = (s.seats_per_row - seats) / 2;
    for (std::int32_t r = s.rows - rows; r < s.rows; ++r)
        for (std::int32_t i = 0; i < seats; ++i)
            s.blocked.push_back(r * s.seats_per_row + left + i);
}

// A ring of blocks round a field of `width` × `depth`: a third each on both long sides, the rest at
// the far end, which faces the stage.
void add_ring(Layout& layout, const Block& block, int count, int first_number, std::int32_t width,
              std::int32_t depth, std::int32_t gap) {
    const int side = count / 3, far = count - 2 * side;
    const std::int32_t pitch_x = block.seats_per_row + aisle, pitch_y = block.rows + aisle;
    for (int i = 0; i < count; ++i) {
        std::int32_t x = 0, y = 0;
        if (i < side) {
            x = -gap - block.seats_per_row;
            y = i * pitch_y;
        } else if (i < side + far) {
            x = (width - far * pitch_x) / 2 + (i - side) * pitch_x;
            y = std::max(depth, side * pitch_y) + gap;
        } else {
            x = width + gap;
            y = (count - 1 - i) * pitch_y;
        }
        layout.sections.push_back(section(std::to_string(first_number + i), block, x, y));
    }
}

// 1,000: a floor of three blocks and a balcony over its back.
Layout hall() {
    Layout layout;
    layout.sections = {
        section("1B", hall_vip, 14, 0),           section("1A", hall_side, 0, 0),
        section("1C", hall_side, 36, 0),          section("2B", hall_balcony, 14, 18),
        section("2A", hall_balcony_side, -2, 18), section("2C", hall_balcony_side, 36, 18)};
    make_accessible(layout.sections[1], 13);
    make_accessible(layout.sections[2], 13);
    return layout;
}

// 15,000: six blocks on the floor, two rings of twelve.
Layout arena() {
    Layout layout;
    for (int i = 0; i < 6; ++i)
        layout.sections.push_back(
            section("F" + std::to_string(i + 1), arena_floor, (i % 3) * 32, (i / 3) * 22));
    put_console(layout.sections[4], 4, 10);
    add_ring(layout, arena_lower, 12, 101, 94, 42, 4);
    add_ring(layout, arena_upper, 12, 201, 94, 42, 36);
    for (Section& s : layout.sections)
        if (s.name.starts_with('1')) make_accessible(s, 0);
    return layout;
}

// 50,000: ten blocks on the pitch, two rings of twenty.
Layout stadium() {
    Layout layout;
    for (int i = 0; i < 10; ++i)
        layout.sections.push_back(
            section("G" + std::to_string(i + 1), stadium_pitch, (i % 5) * 42, (i / 5) * 27));
    put_console(layout.sections[7], 5, 16);
    add_ring(layout, stadium_lower, 20, 101, 208, 52, 12);
    add_ring(layout, stadium_upper, 20, 201, 208, 52, 66);
    for (Section& s : layout.sections)
        if (s.name.starts_with('1')) make_accessible(s, 0);
    return layout;
}

} // namespace

std::optional<Layout> layout_template(std::string_view name) {
    if (name == "hall") return hall();
    if (name == "arena") return arena();
    if (name == "stadium") return stadium();
    return std::nullopt;
}

Layout plain_layout(std::int64_t seats) {
    constexpr std::int64_t per_row = 20, rows_of_section = 25;
    Layout layout;
    std::int32_t number = 0;
    while (seats > 0) {
        Block block{"R", 110'000, 1, std::int32_t(std::min(seats, per_row))};
        if (seats >= per_row) block.rows = std::int32_t(std::min(rows_of_section, seats / per_row));
        const std::string name = "P" + std::to_string(++number);
        layout.sections.push_back(section(name, block, 0, number * 27));
        seats -= std::int64_t(block.rows) * block.seats_per_row;
    }
    return layout;
}

} // namespace urr::ticket
