// The events as catalog reads and shows them, and the question of a list: which, in which order,
// after which. No network.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "libs/contract/event_status.hpp"
#include "libs/sql/database.hpp"

namespace urr::catalog {

struct EventView {
    EventId id;
    std::string title, artist, venue, address, description, grades;
    std::string poster; // its file's name; empty: none
    Instant event_at, sale_start, sale_end;
    Won price_min, price_max;
    std::int64_t seats = 0, seats_per_person = 0;
    bool room = false;
    Stock stock;
};

EventStatus status_of(const EventView& event, Instant now);

// A stock, and when it was counted.
struct Counted {
    Stock stock;
    Instant at;
};

inline constexpr int events_max = 5'000;

// Works: newest first; the counts of one event's seats.
Task<Result<std::vector<EventView>>> read_events(Tx& tx);
Task<Result<Stock>> count_stock(Tx& tx, EventId event);

enum class Sort : std::uint8_t { newest, event_at, event_at_down, sale_start };

// `?status=&artist=&q=&from=&to=&sort=&cursor=&limit=`
struct Question {
    std::optional<EventStatus> status;
    std::string artist, text; // folded; empty: any
    std::optional<Instant> from, to;
    Sort sort = Sort::newest;
    std::size_t limit = 20;
    std::optional<std::pair<std::int64_t, EventId>> after; // the sort's key of the last one seen
};
// BAD_REQUEST with the parameter that is wrong.
Result<Question> question_of(std::string_view query);

// {"items": [...], "nextCursor": ...}
std::string list_json(const std::vector<EventView>& events, const Question& question, Instant now);
// With what only the detail has: address, description, grades.
std::string detail_json(const EventView& event, Instant now);
// What queue must know of them.
std::string told_json(const std::vector<EventView>& events);

} // namespace urr::catalog
