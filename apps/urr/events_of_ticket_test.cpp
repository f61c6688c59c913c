#include "apps/urr/events_of_ticket.hpp"

#include <gtest/gtest.h>

namespace urr::app {
namespace {

using ticket::SeatState;

constexpr Instant start{1'800'000'000'000'000};

ticket::SeatMap map_of(const std::vector<SeatState>& states) {
    ticket::Event event;
    event.published = true;
    event.sale_start = start;
    event.sale_end = start + hours(1);
    event.layout = ticket::plain_layout(std::ssize(states));
    std::vector<ticket::SeatRow> rows;
    for (const SeatState state : states) rows.push_back({state, 1});
    return ticket::SeatMap(std::move(event), rows);
}

TEST(EventsOfTicket, a_blocked_seat_is_neither_sold_nor_for_sale) {
    const auto map = map_of({SeatState::available, SeatState::blocked, SeatState::held,
                             SeatState::sold, SeatState::blocked, SeatState::available});
    const queue::EventFacts facts = facts_of(map, start);
    EXPECT_EQ(facts.free, 2);
    EXPECT_EQ(facts.under_way, 1);
    EXPECT_EQ(facts.sold, 1);
}

TEST(EventsOfTicket, the_sale_is_to_come_then_on_then_over) {
    const auto map = map_of({SeatState::available});
    const auto before = facts_of(map, start - milliseconds(1)), first = facts_of(map, start),
               last = facts_of(map, start + hours(1) - milliseconds(1)),
               after = facts_of(map, start + hours(1));
    EXPECT_TRUE(!before.on_sale && !before.over);
    EXPECT_TRUE(first.on_sale && !first.over);
    EXPECT_TRUE(last.on_sale && !last.over);
    EXPECT_TRUE(!after.on_sale && after.over);
}

} // namespace
} // namespace urr::app
