#include <gtest/gtest.h>

#include "libs/contract/event_status.hpp"
#include "libs/core/must.hpp"
#include "services/ticket/domain/layout.hpp"
#include "services/ticket/domain/rules.hpp"
#include "services/ticket/domain/seat.hpp"

namespace urr::ticket {
namespace {

// The whole machines as tables: a row per state, a column per event, '.' where it is refused. Every
// (state, event) pair has a stated outcome; whoever changes a machine changes its table here.
template <class State, class Event>
void expect_table(std::string_view letters, const std::vector<std::string_view>& rows, int events) {
    ASSERT_EQ(rows.size(), letters.size());
    for (std::size_t s = 0; s < rows.size(); ++s) {
        ASSERT_EQ(int(rows[s].size()), events);
        for (int e = 0; e < events; ++e) {
            const auto next = after(State(s), Event(e));
            EXPECT_EQ(next ? letters[std::size_t(*next)] : '.', rows[s][std::size_t(e)])
                << "state " << letters[s] << ", event " << e;
        }
    }
}

TEST(SeatStates, every_event_has_a_stated_outcome_in_every_state) {
    // events: hold release begin_payment captured declined voided return_sold offer lapse block
    expect_table<SeatState, SeatEvent>("ahpscob",
                                       {"h......o.b",  // available
                                        ".ap.......",  // held
                                        "...sha....",  // paying
                                        "......c...",  // sold
                                        ".......oa.",  // cooling
                                        "h.......a.",  // offered
                                        ".a........"}, // blocked
                                       int(SeatEvent::block) + 1);
    for (int s = 0; s <= int(SeatState::blocked); ++s)
        EXPECT_EQ(seat_letter(SeatState(s)), "ahpscob"[s]);
}

TEST(ReservationStates, every_event_has_a_stated_outcome_in_every_state) {
    // p pending, y paying, c confirmed, e expired, x cancelled, f failed, r refunded
    // events: begin_payment captured declined voided expire cancel refund
    expect_table<ReservationState, ReservationEvent>("pycexfr",
                                                     {"y...ex.", // pending
                                                      ".cpf...", // paying never ends by time
                                                      "......r", // confirmed
                                                      ".......", ".......", ".......", "......."},
                                                     int(ReservationEvent::refund) + 1);
}

TEST(TicketStates, every_event_has_a_stated_outcome_in_every_state) {
    // v valid, u used, g refunding, r refunded, o offered, h held, p paying
    // events: check_in refund_requested refund_done offer hold begin_payment captured withdraw
    // lapse
    expect_table<TicketState, TicketEvent>("vugrohp",
                                           {"ug.o.....",  // valid
                                            ".........",  // used
                                            "..r......",  // refunding
                                            ".........",  // refunded
                                            "....h..v.",  // offered
                                            ".....p..o",  // held
                                            "......v.o"}, // paying
                                           int(TicketEvent::lapse) + 1);
}

TEST(SeatStates, a_sold_seat_is_never_held_again_without_coming_back_first) {
    for (int e = 0; e <= int(SeatEvent::block); ++e) {
        const auto next = after(SeatState::sold, SeatEvent(e));
        if (next) EXPECT_EQ(*next, SeatState::cooling);
    }
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

TEST(Layouts, the_templates_are_venues) {
    for (const char* name : {"hall", "arena", "stadium"}) {
        const Layout layout = *layout_template(name);
        const std::string uses = seat_uses(layout);
        EXPECT_GT(std::count(uses.begin(), uses.end(), 'x'), 0) << name; // accessible places
        const auto grades = grades_of(layout);
        EXPECT_EQ(grades.size(), 3u);
        std::int64_t sellable = 0;
        for (std::size_t i = 0; i < grades.size(); ++i) {
            sellable += grades[i].seats;
            if (i > 0) EXPECT_LT(grades[i].price, grades[i - 1].price); // dearest first
        }
        EXPECT_EQ(sellable, std::ssize(uses) - std::count(uses.begin(), uses.end(), 'b'));
        // No two blocks stand on the same ground.
        for (const Section& a : layout.sections)
            for (const Section& b : layout.sections) {
                const bool apart = a.x + a.seats_per_row <= b.x || b.x + b.seats_per_row <= a.x ||
                                   a.y + a.rows <= b.y || b.y + b.rows <= a.y;
                EXPECT_TRUE(&a == &b || apart) << name << ": " << a.name << ", " << b.name;
            }
    }
    const std::string arena = seat_uses(*layout_template("arena"));
    EXPECT_EQ(std::count(arena.begin(), arena.end(), 'b'), 40); // the console
}

Layout small() {
    Layout layout;
    layout.sections = {{"A", "R", Won{2}, 1, 5, 0, 0, {}, {}},
                       {"B", "S", Won{1}, 1, 4, 0, 1, {}, {}}};
    return layout;
}

TEST(Layouts, bad_ones_say_why) {
    const auto fault = [](const Layout& layout) {
        const auto checked = check_layout(layout);
        return checked ? std::string() : std::string(checked.error().text());
    };
    must(check_layout(small()));
    Layout layout = small();
    layout.sections[1].name = "A";
    EXPECT_NE(fault(layout).find("named A"), std::string::npos);
    layout = small();
    layout.sections[1].grade = "R";
    EXPECT_NE(fault(layout).find("two prices"), std::string::npos);
    layout = small();
    layout.sections[0].blocked = {5};
    EXPECT_NE(fault(layout).find("not in section A"), std::string::npos);
    layout.sections[0].blocked = {4};
    EXPECT_EQ(fault(layout), "");
    layout.sections[0].blocked = {0, 1, 2, 3, 4};
    layout.sections[1].blocked = {0, 1, 2, 3};
    EXPECT_NE(fault(layout).find("every seat"), std::string::npos);
    layout = small();
    layout.sections[0].rows = 500;
    layout.sections[0].seats_per_row = 500;
    EXPECT_NE(fault(layout).find("more than 100000"), std::string::npos);
    EXPECT_NE(fault(Layout{}).find("no section"), std::string::npos);
}

TEST(Layouts, seats_are_numbered_through_and_have_a_use) {
    Layout layout = small();
    layout.sections[0].blocked = {1};
    layout.sections[1].accessible = {0, 3};
    EXPECT_EQ(seat_uses(layout), "abaaaxaax");
    EXPECT_EQ(seat_label(layout, 4), "A-1-5");
    EXPECT_EQ(seat_label(layout, 5), "B-1-1");
    EXPECT_EQ(seat_label(layout, 9), "?");
    const auto grades = grades_of(layout);
    EXPECT_EQ(grades[0].seats, 4);
    EXPECT_EQ(grades[1].seats, 4);
}

TEST(BestAvailable, sits_together_and_leaves_no_single_seat) {
    const Layout layout = small();
    EXPECT_EQ(best_available(layout, "aaaaaaaaa", 2, ""), (std::vector<std::int64_t>{0, 1}));
    // In "aaas." two seats would leave one alone; the other row has room without that.
    EXPECT_EQ(best_available(layout, "aaasaaaaa", 2, ""), (std::vector<std::int64_t>{5, 6}));
    EXPECT_EQ(best_available(layout, "aaasaaaaa", 2, "R"), (std::vector<std::int64_t>{0, 1}));
    EXPECT_TRUE(best_available(layout, "asasasasa", 2, "").empty());
    EXPECT_TRUE(best_available(layout, "aaaaaaaaa", 6, "").empty());
}

TEST(Rules, a_decline_leaves_a_minute_at_least) {
    const Rules rules;
    const Instant now{0};
    EXPECT_EQ(hold_end_after_decline(rules, now, now + seconds(10)), now + seconds(60));
    EXPECT_EQ(hold_end_after_decline(rules, now, now + seconds(200)), now + seconds(200));
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
