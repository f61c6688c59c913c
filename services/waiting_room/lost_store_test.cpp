// The waiting room's store is lost in the middle of a sale: receipts keep their places, and whoever
// comes afterwards stands behind them, because queue's report tells what it last saw of the room.
#include "services/waiting_room/waiting_room_house.hpp"

namespace urr::waiting_room {
namespace {

struct LostStore : testing::Test {
    House house{55};
    EventId event = house.new_event();

    // What queue keeps of a status.
    struct Seen {
        std::uint64_t phase = 0, next = 0, serving = 0, voids_served = 0;
    };
    Seen look() {
        const Answer status = house.status(event);
        return {status.number("phase"), status.number("nextPosition"), status.number("serving"),
                status.number("voidsServed")};
    }
    Answer report(const Seen& seen, std::uint32_t rate = 600, std::uint64_t epoch = 5) {
        std::string body = House::report("open", epoch, ++house.sequence, rate, false);
        body.pop_back();
        body += ",\"seen\":{\"phase\":" + std::to_string(seen.phase) +
                ",\"nextPosition\":" + std::to_string(seen.next) +
                ",\"serving\":" + std::to_string(seen.serving) +
                ",\"voidsServed\":" + std::to_string(seen.voids_served) + "}}";
        return house.put(event, body, &house.queue);
    }
    // Checks each second; the order in which receipts were let in.
    std::vector<std::size_t> let_in(const std::vector<std::string>& receipts, int seconds_long) {
        std::vector<std::size_t> order;
        std::set<std::size_t> in;
        for (int second = 0; second < seconds_long; ++second) {
            house.steer(event, "open", 5, 600);
            house.pass(seconds(1));
            for (std::size_t i = 0; i < receipts.size(); ++i)
                if (!in.contains(i) &&
                    house.check(event, receipts[i]).body.boolean_of("admitted")) {
                    order.push_back(i);
                    in.insert(i);
                }
        }
        return order;
    }
};

TEST_F(LostStore, goes_on_in_a_new_phase_behind_all_numbers_that_are_about) {
    house.steer(event, "open", 5, 60);
    std::vector<std::string> receipts;
    for (int i = 0; i < 30; ++i) receipts.push_back(house.assign(event).text("requestId"));
    house.pass(seconds(6));
    const Seen seen = look();
    EXPECT_GT(seen.serving, 0u);
    // Given out after queue looked: nobody knows of these but their holders.
    for (int i = 0; i < 5; ++i) receipts.push_back(house.assign(event).text("requestId"));
    house.lose_store();
    EXPECT_EQ(house.status(event).status, 404);
    const Answer back = report(seen);
    EXPECT_EQ(back.status, 200);
    EXPECT_EQ(back.number("phase"), seen.phase + 1);
    EXPECT_EQ(back.number("serving"), seen.serving);
    EXPECT_EQ(back.number("nextPosition"), seen.next);
    for (int i = 0; i < 10; ++i) {
        const Answer fresh = house.assign(event);
        EXPECT_GE(fresh.number("position"), seen.next);
        receipts.push_back(fresh.text("requestId"));
    }
    EXPECT_EQ(house.check(event, receipts[0]).status, 200);
    const std::vector<std::size_t> order = let_in(receipts, 12);
    ASSERT_EQ(order.size(), receipts.size());
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(LostStore, no_place_of_an_epoch_is_given_twice) {
    house.steer(event, "open", 5, 60);
    std::set<std::pair<std::uint64_t, std::uint64_t>> places; // phase, position
    SeededRandom random(5);
    for (int life = 0; life < 6; ++life) {
        SCOPED_TRACE("seed 5, life " + std::to_string(life));
        const Seen seen = look();
        for (std::uint64_t n = 1 + random.below(60); n; --n) {
            const Answer answer = house.assign(event);
            const auto receipt =
                read_receipt(house.settings.receipt_keys, event, answer.text("requestId"));
            ASSERT_TRUE(receipt);
            EXPECT_TRUE(places.emplace(receipt->phase, receipt->position).second);
            if (random.chance(100)) house.pass(milliseconds(400));
        }
        house.lose_store();
        report(seen);
    }
}

TEST_F(LostStore, a_report_that_saw_no_more_than_the_room_has_changes_nothing) {
    house.steer(event, "open", 5, 60);
    for (int i = 0; i < 10; ++i) house.assign(event);
    const Seen seen = look();
    for (int i = 0; i < 10; ++i) house.assign(event);
    const Answer answer = report(seen);
    EXPECT_EQ(answer.number("phase"), seen.phase);
    EXPECT_GT(answer.number("nextPosition"), seen.next);
    house.crash(); // with its store: nothing is lost
    house.start();
    EXPECT_EQ(report(look()).number("phase"), seen.phase);
}

TEST_F(LostStore, the_new_phase_holds_over_a_restart) {
    house.steer(event, "open", 5, 60);
    std::vector<std::string> receipts;
    for (int i = 0; i < 3; ++i) receipts.push_back(house.assign(event).text("requestId"));
    const Seen seen = look();
    receipts.push_back(house.assign(event).text("requestId"));
    house.lose_store();
    report(seen);
    receipts.push_back(house.assign(event).text("requestId"));
    house.crash();
    house.start();
    EXPECT_EQ(house.status(event).number("phase"), seen.phase + 1);
    const std::vector<std::size_t> order = let_in(receipts, 8);
    ASSERT_EQ(order.size(), receipts.size());
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(LostStore, nonsense_about_the_room_is_refused) {
    house.steer(event, "open", 5, 60);
    EXPECT_EQ(report({0, 0, 0, 0}).code(), "VALIDATION_FAILED");
    EXPECT_EQ(report({70'000, 5, 0, 0}).code(), "VALIDATION_FAILED");
    EXPECT_EQ(report({0, std::uint64_t(1) << 60, 0, 0}).code(), "VALIDATION_FAILED");
    // Served more than were given, more voids than served: bounded, not believed.
    const Answer odd = report({3, 100, 5'000, 9'000});
    EXPECT_EQ(odd.status, 200);
    EXPECT_EQ(odd.number("serving"), 99u);
    EXPECT_EQ(odd.number("phase"), 4u);
}

} // namespace
} // namespace urr::waiting_room
