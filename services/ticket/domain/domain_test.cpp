#include <gtest/gtest.h>

#include "libs/core/must.hpp"
#include "services/ticket/domain/layout.hpp"
#include "services/ticket/domain/rules.hpp"

namespace urr::ticket {
namespace {

TEST(SeatStates, a_sold_seat_is_never_held_again_without_coming_back_first) {
    for (int e = 0; e <= int(SeatEvent::block); ++e) {
        const auto next = after(SeatState::sold, SeatEvent(e));
        if (next) EXPECT_EQ(*next, SeatState::cooling);
    }
    // Only these ways lead to sold.
    for (int s = 0; s <= int(SeatState::blocked); ++s)
        for (int e = 0; e <= int(SeatEvent::block); ++e)
            if (after(SeatState(s), SeatEvent(e)) == SeatState::sold) {
                EXPECT_EQ(SeatState(s), SeatState::paying);
                EXPECT_EQ(SeatEvent(e), SeatEvent::captured);
            }
}

TEST(ReservationStates, ended_ones_stay_ended_and_paying_never_expires) {
    for (const auto ended : {ReservationState::expired, ReservationState::cancelled,
                             ReservationState::failed, ReservationState::refunded})
        for (int e = 0; e <= int(ReservationEvent::refund); ++e)
            EXPECT_FALSE(after(ended, ReservationEvent(e)));
    EXPECT_FALSE(after(ReservationState::paying, ReservationEvent::expire));
    EXPECT_FALSE(after(ReservationState::paying, ReservationEvent::cancel));
    EXPECT_EQ(after(ReservationState::paying, ReservationEvent::declined),
              ReservationState::pending);
}

TEST(TicketStates, use_refund_and_offer_exclude_one_another) {
    EXPECT_FALSE(after(TicketState::used, TicketEvent::refund_requested));
    EXPECT_FALSE(after(TicketState::used, TicketEvent::offer));
    EXPECT_FALSE(after(TicketState::offered, TicketEvent::check_in));
    EXPECT_FALSE(after(TicketState::refunding, TicketEvent::check_in));
    EXPECT_EQ(after(TicketState::paying, TicketEvent::captured), TicketState::valid);
}

TEST(Layouts, the_templates_have_the_sizes_they_say) {
    EXPECT_EQ(seat_count(*layout_template("hall")), 1'000);
    EXPECT_EQ(seat_count(*layout_template("arena")), 15'000);
    EXPECT_EQ(seat_count(*layout_template("stadium")), 50'000);
    EXPECT_FALSE(layout_template("cave"));
    for (const char* name : {"hall", "arena", "stadium"})
        must(check_layout(*layout_template(name)));
    for (const std::int64_t seats : {1, 19, 20, 21, 500, 777, 1000})
        EXPECT_EQ(seat_count(plain_layout(seats)), seats);
}

TEST(Layouts, bad_ones_say_why) {
    Layout layout = *layout_template("hall");
    layout.sections[1].name = "A";
    EXPECT_NE(check_layout(layout).error().text().find("named A"), std::string_view::npos);
    layout = *layout_template("hall");
    layout.sections[0].blocked = {200};
    EXPECT_EQ(check_layout(layout).error().code(), Code::LAYOUT_INVALID);
    layout.sections[0].blocked = {199};
    must(check_layout(layout));
    EXPECT_TRUE(is_blocked(layout, 199));
    EXPECT_FALSE(is_blocked(layout, 198));
    EXPECT_EQ(seat_label(layout, 200), "B-1-1");
    EXPECT_EQ(seat_label(layout, 199), "A-10-20");
}

TEST(BestAvailable, sits_together_and_leaves_no_single_seat) {
    Layout layout;
    layout.sections = {{"A", "R", Won{1}, 1, 5, 0, 0, {}, {}},
                       {"B", "S", Won{1}, 1, 4, 0, 1, {}, {}}};
    EXPECT_EQ(best_available(layout, "aaaaaaaaa", 2, ""), (std::vector<std::int64_t>{0, 1}));
    // In "aaas." two seats would leave one alone; the other row has room without that.
    EXPECT_EQ(best_available(layout, "aaasaaaaa", 2, ""), (std::vector<std::int64_t>{5, 6}));
    EXPECT_EQ(best_available(layout, "aaasaaaaa", 2, "R"), (std::vector<std::int64_t>{0, 1}));
    EXPECT_TRUE(best_available(layout, "asasasasa", 2, "").empty());
    EXPECT_TRUE(best_available(layout, "aaaaaaaaa", 6, "").empty());
}

TEST(Status, follows_time_and_stock) {
    const Instant start{100}, end{200};
    EXPECT_EQ(status_at(false, {150}, start, end, {1, 0}), EventStatus::draft);
    EXPECT_EQ(status_at(true, {99}, start, end, {1, 0}), EventStatus::upcoming);
    EXPECT_EQ(status_at(true, {100}, start, end, {1, 0}), EventStatus::on_sale);
    EXPECT_EQ(status_at(true, {150}, start, end, {0, 1}), EventStatus::last_seats);
    EXPECT_EQ(status_at(true, {150}, start, end, {0, 0}), EventStatus::sold_out);
    EXPECT_EQ(status_at(true, {200}, start, end, {1, 0}), EventStatus::ended);
}

} // namespace
} // namespace urr::ticket
