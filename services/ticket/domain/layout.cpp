#include "services/ticket/domain/layout.hpp"

#include <algorithm>

namespace urr::ticket {

namespace {

std::int64_t seats_of(const Section& section) {
    return std::int64_t(section.rows) * section.seats_per_row;
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
            else if (layout.sections[k].grade == s.grade && layout.sections[k].price != s.price)
                return fail(Code::LAYOUT_INVALID, "grade " + s.grade + " has two prices");
        if (!within(s.blocked, seats_of(s)) || !within(s.accessible, seats_of(s)))
            return fail(Code::LAYOUT_INVALID, "a seat that is not in section " + s.name);
    }
    const std::string uses = seat_uses(layout);
    if (uses.find_first_not_of('b') == std::string::npos)
        return fail(Code::LAYOUT_INVALID, "every seat is blocked");
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

std::string seat_uses(const Layout& layout) {
    std::string uses(std::size_t(seat_count(layout)), 'a');
    std::size_t first = 0;
    for (const Section& s : layout.sections) {
        for (const std::int32_t seat : s.accessible) uses[first + std::size_t(seat)] = 'x';
        for (const std::int32_t seat : s.blocked) uses[first + std::size_t(seat)] = 'b';
        first += std::size_t(seats_of(s));
    }
    return uses;
}

std::vector<Grade> grades_of(const Layout& layout) {
    std::vector<Grade> grades;
    const std::string uses = seat_uses(layout);
    auto at = uses.begin();
    for (const Section& s : layout.sections) {
        const auto end = at + seats_of(s);
        const std::int64_t sellable = seats_of(s) - std::count(at, end, 'b');
        at = end;
        const auto same = std::find_if(grades.begin(), grades.end(),
                                       [&](const Grade& g) { return g.grade == s.grade; });
        if (same == grades.end())
            grades.push_back({s.grade, s.price, sellable});
        else
            same->seats += sellable;
    }
    return grades;
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
            if (row.find('a') == std::string_view::npos) continue;
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
