// A seat layout: sections with rows of seats, a price grade each. Seats are numbered from 0 through
// the whole layout, section by section, row by row. Frozen at the first hold.
#pragma once
#include <string>
#include <vector>

#include "libs/core/json.hpp"

namespace urr::ticket {

inline constexpr std::int64_t seats_max = 100'000;

struct Section {
    std::string name;
    std::string grade;
    Won price;
    std::int32_t rows = 0;
    std::int32_t seats_per_row = 0;
    std::int32_t x = 0, y = 0;         // of its upper left seat, in seat widths
    std::vector<std::int32_t> blocked; // seats of the section, from 0
    std::vector<std::int32_t> accessible;
};
template <class Archive>
void describe(Archive& a, Section& v) {
    a.field("name", v.name, Limits{.min = 1, .max = 40});
    a.field("grade", v.grade, Limits{.min = 1, .max = 20});
    a.field("price", v.price, Limits{.min = 0, .max = 100'000'000});
    a.field("rows", v.rows, Limits{.min = 1, .max = 500});
    a.field("seatsPerRow", v.seats_per_row, Limits{.min = 1, .max = 500});
    a.field("x", v.x, Limits{.min = -10'000, .max = 10'000});
    a.field("y", v.y, Limits{.min = -10'000, .max = 10'000});
    a.field("blocked", v.blocked, Limits{.max = 5'000});
    a.field("accessible", v.accessible, Limits{.max = 5'000});
}

struct Layout {
    std::vector<Section> sections;
};
template <class Archive>
void describe(Archive& a, Layout& v) {
    a.field("sections", v.sections, Limits{.min = 1, .max = 500});
}

std::int64_t seat_count(const Layout& layout);
// LAYOUT_INVALID with the reason: too many seats, a name twice, one grade at two prices, a seat
// that is not in its section, nothing to sell.
Result<> check_layout(const Layout& layout);
// Where a seat stands.
struct SeatPlace {
    const Section* section;
    std::int32_t row, seat; // from 0
};
SeatPlace place_of(const Layout& layout, std::int64_t seat);
std::string seat_label(const Layout& layout, std::int64_t seat); // "A-3-12"
// What a seat is for, one letter each: a for everyone, x accessible (chosen by those who need it,
// never by `best_available`), b blocked (the console, a camera, no view): never sold.
std::string seat_uses(const Layout& layout);

// What there is to buy, cheapest last, as the layout lists it.
struct Grade {
    std::string grade;
    Won price;
    std::int64_t seats = 0; // without blocked ones
};
template <class Archive>
void describe(Archive& a, Grade& v) {
    a.field("grade", v.grade);
    a.field("price", v.price);
    a.field("seats", v.seats);
}
std::vector<Grade> grades_of(const Layout& layout);

// The venues that ship: "hall" 1,000, "arena" 15,000, "stadium" 50,000 seats; or nullopt.
std::optional<Layout> layout_template(std::string_view name);
// A plain layout of any size, for rehearsals.
Layout plain_layout(std::int64_t seats);

// Seats side by side that are free, of a grade (empty: any), that leave no single free seat next to
// them where that can be avoided. Front rows first. `states` holds one letter a seat; 'a' is free.
std::vector<std::int64_t> best_available(const Layout& layout, std::string_view states,
                                         std::int64_t count, std::string_view grade);

} // namespace urr::ticket
