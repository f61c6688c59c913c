#include "services/ticket/domain/layout.hpp"

namespace urr::ticket {

namespace {

std::int64_t seats_of(const Section& section) {
    return std::int64_t(section.rows) * section.seats_per_row;
}

Section section(std::string name, std::string grade, std::int64_t price, int rows, int seats, int x,
                int y) {
    return {std::move(name), std::move(grade), Won{price}, rows, seats, x, y, {}, {}};
}

bool within(const std::vector<std::int32_t>& seats, std::int64_t count) {
    for (const std::int32_t seat : seats)
        if (seat < 0 || seat >= count) return false;
    return true;
}

// How bad it is to take `count` free seats from `at` in a row: single seats left beside them.
int orphans(std::string_view row, std::size_t at, std::size_t count) {
    const auto free = [&](std::size_t i) { return i < row.size() && row[i] == 'a'; };
    int left = 0;
    const bool free_before = at > 0 && free(at - 1);
    if (free_before && !(at > 1 && free(at - 2))) ++left;
    if (free(at + count) && !free(at + count + 1)) ++left;
    return left;
}

} // namespace

std::int64_t seat_count(const Layout& layout) {
    std::int64_t count = 0;
    for (const Section& s : layout.sections) count += seats_of(s);
    return count;
}

Result<> check_layout(const Layout& layout) {
    if (layout.sections.empty()) return fail(Code::LAYOUT_INVALID, "there is no section");
    if (seat_count(layout) > seats_max)
        return fail(Code::LAYOUT_INVALID, "more than " + std::to_string(seats_max) + " seats");
    for (std::size_t i = 0; i < layout.sections.size(); ++i) {
        const Section& s = layout.sections[i];
        for (std::size_t k = 0; k < i; ++k)
            if (layout.sections[k].name == s.name)
                return fail(Code::LAYOUT_INVALID, "two sections are named " + s.name);
        if (!within(s.blocked, seats_of(s)) || !within(s.accessible, seats_of(s)))
            return fail(Code::LAYOUT_INVALID, "a seat that is not in section " + s.name);
    }
    return {};
}

SeatPlace place_of(const Layout& layout, std::int64_t seat) {
    for (const Section& s : layout.sections) {
        if (seat < seats_of(s))
            return {&s, std::int32_t(seat / s.seats_per_row), std::int32_t(seat % s.seats_per_row)};
        seat -= seats_of(s);
    }
    return {nullptr, 0, 0};
}

std::string seat_label(const Layout& layout, std::int64_t seat) {
    const SeatPlace place = place_of(layout, seat);
    if (!place.section) return "?";
    return place.section->name + "-" + std::to_string(place.row + 1) + "-" +
           std::to_string(place.seat + 1);
}

bool is_blocked(const Layout& layout, std::int64_t seat) {
    const SeatPlace place = place_of(layout, seat);
    if (!place.section) return true;
    const auto& blocked = place.section->blocked;
    const std::int32_t in_section = place.row * place.section->seats_per_row + place.seat;
    return std::find(blocked.begin(), blocked.end(), in_section) != blocked.end();
}

std::optional<Layout> layout_template(std::string_view name) {
    Layout layout;
    if (name == "hall") {
        layout.sections = {section("A", "VIP", 165'000, 10, 20, 0, 0),
                           section("B", "R", 132'000, 20, 20, 0, 12),
                           section("C", "S", 99'000, 20, 20, 0, 34)};
        return layout;
    }
    if (name == "arena") {
        for (int i = 0; i < 5; ++i)
            layout.sections.push_back(
                section("F" + std::to_string(i + 1), "VIP", 198'000, 20, 30, i * 32, 0));
        for (int i = 0; i < 12; ++i)
            layout.sections.push_back(section("L" + std::to_string(i + 1), i < 6 ? "R" : "S",
                                              i < 6 ? 154'000 : 121'000, 25, 40, (i % 6) * 42,
                                              22 + (i / 6) * 27));
        return layout;
    }
    if (name == "stadium") {
        for (int i = 0; i < 10; ++i)
            layout.sections.push_back(section("G" + std::to_string(i + 1), "VIP", 220'000, 25, 40,
                                              (i % 5) * 42, (i / 5) * 27));
        for (int i = 0; i < 40; ++i)
            layout.sections.push_back(section("S" + std::to_string(i + 1), i < 20 ? "R" : "A",
                                              i < 20 ? 165'000 : 110'000, 25, 40, (i % 10) * 42,
                                              56 + (i / 10) * 27));
        return layout;
    }
    return std::nullopt;
}

Layout plain_layout(std::int64_t seats) {
    Layout layout;
    constexpr std::int64_t per_row = 20;
    constexpr std::int64_t rows_of_section = 25;
    int number = 0;
    while (seats > 0) {
        const std::string name = "P" + std::to_string(++number);
        if (seats < per_row) {
            layout.sections.push_back(section(name, "R", 110'000, 1, int(seats), 0, number * 27));
            break;
        }
        const std::int64_t rows = std::min(rows_of_section, seats / per_row);
        layout.sections.push_back(section(name, "R", 110'000, int(rows), per_row, 0, number * 27));
        seats -= rows * per_row;
    }
    return layout;
}

std::vector<std::int64_t> best_available(const Layout& layout, std::string_view states,
                                         std::int64_t count, std::string_view grade) {
    std::int64_t first = 0;
    std::int64_t best = -1;
    int best_orphans = 3;
    for (const Section& s : layout.sections) {
        const auto width = std::size_t(s.seats_per_row);
        for (std::int32_t r = 0; r < s.rows && best_orphans > 0; ++r) {
            if (!grade.empty() && s.grade != grade) break;
            const std::string_view row =
                states.substr(std::size_t(first) + std::size_t(r) * width, width);
            std::size_t run = 0;
            for (std::size_t i = 0; i < row.size() && best_orphans > 0; ++i) {
                run = row[i] == 'a' ? run + 1 : 0;
                if (run < std::size_t(count)) continue;
                const std::size_t at = i + 1 - std::size_t(count);
                const int left = orphans(row, at, std::size_t(count));
                if (left >= best_orphans) continue;
                best_orphans = left;
                best = first + std::int64_t(std::size_t(r) * width + at);
            }
        }
        first += seats_of(s);
    }
    std::vector<std::int64_t> seats;
    for (std::int64_t i = 0; best >= 0 && i < count; ++i) seats.push_back(best + i);
    return seats;
}

} // namespace urr::ticket
