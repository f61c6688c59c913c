// The waiting room from its HTTP face down to its store: places, receipts, tokens, steering,
// crashes. The tests print their seeds by trace.
#include "services/waiting_room/http/static_page.hpp"
#include "services/waiting_room/waiting_room_house.hpp"

namespace urr::waiting_room {
namespace {

struct WaitingRoomTest : testing::Test {
    House house{77};
    EventId event = house.new_event();
};

TEST_F(WaitingRoomTest, gives_places_in_order_of_arrival) {
    ASSERT_EQ(house.steer(event, "open", 5).status, 200);
    for (std::uint64_t n = 1; n <= 100; ++n) {
        const Answer answer = house.assign(event, n % 2);
        ASSERT_EQ(answer.status, 201);
        EXPECT_EQ(answer.number("position"), n);
        EXPECT_EQ(answer.number("epoch"), 5u);
        EXPECT_EQ(answer.text("requestId").size(), receipt_text_size);
        EXPECT_GE(answer.number("pollAfterSeconds"), 2u);
    }
}

TEST_F(WaitingRoomTest, answers_at_once_while_a_lease_is_open) {
    house.steer(event, "prequeue");
    EXPECT_FALSE(house.assign(event).at_once); // waits for the first lease
    const Answer second = house.assign(event);
    EXPECT_TRUE(second.at_once);
    EXPECT_EQ(second.number("ahead"), 2u);
    EXPECT_TRUE(house.status(event).at_once);
    EXPECT_TRUE(house.check(event, second.text("requestId")).at_once);
}

TEST_F(WaitingRoomTest, knows_a_browser_by_its_cookie) {
    house.steer(event, "open");
    const Answer first = house.assign(event);
    const std::string cookie = "a=b; urr-receipt=" + first.text("requestId");
    EXPECT_NE(first.headers.find("Path=/vwr-api/vwr/assign/" + event.text() + ";"),
              std::string::npos);
    EXPECT_NE(first.headers.find("HttpOnly"), std::string::npos);
    for (const std::size_t loop : {0, 1}) {
        const Answer again = house.ask(
            {Method::post, "/vwr/assign/" + event.text(), "", {{"Cookie", cookie}}}, loop);
        EXPECT_EQ(again.status, 201);
        EXPECT_EQ(again.text("requestId"), first.text("requestId"));
    }
    house.assign(event);
    EXPECT_EQ(house.status(event).number("nextPosition"), 3u);
}

TEST_F(WaitingRoomTest, gives_the_place_again_to_whoever_shows_the_receipt) {
    house.steer(event, "open");
    const std::string receipt = house.assign(event).text("requestId");
    const std::string path = "/vwr/assign/" + event.text();
    EXPECT_EQ(
        house.ask({Method::post, path, "{\"receipt\":\"" + receipt + "\"}", {}}).text("requestId"),
        receipt);
    EXPECT_EQ(house.ask({Method::post, path, "", {{"X-Urr-Receipt", receipt}}}).text("requestId"),
              receipt);
}

TEST_F(WaitingRoomTest, refuses_forged_and_foreign_receipts) {
    const EventId other = house.new_event();
    house.steer(event, "open");
    house.steer(other, "open");
    const std::string receipt = house.assign(event).text("requestId");
    std::string changed = receipt;
    changed[6] = changed[6] == 'A' ? 'B' : 'A'; // in the position
    for (const std::string& bad : {changed, receipt.substr(1), std::string("x"), receipt + "A"}) {
        const Answer answer = house.check(event, bad);
        EXPECT_EQ(answer.status, 403) << bad;
        EXPECT_EQ(answer.code(), "RECEIPT_INVALID");
        EXPECT_EQ(
            house.ask({Method::post, "/vwr/assign/" + event.text(), "", {{"X-Urr-Receipt", bad}}})
                .code(),
            "RECEIPT_INVALID");
    }
    EXPECT_EQ(house.check(other, receipt).code(), "RECEIPT_INVALID");
    EXPECT_EQ(house.check(house.new_event(), receipt).status, 404);
    EXPECT_EQ(house.check(event, receipt).status, 200);
    EXPECT_EQ(house.status(event).number("nextPosition"), 2u); // nothing was changed by all that
}

TEST_F(WaitingRoomTest, takes_no_position_from_a_parameter) {
    house.steer(event, "prequeue");
    const std::string path = "/vwr/assign/" + event.text();
    EXPECT_EQ(house.ask({Method::post, path, "{\"position\":1}", {}}).status, 422);
    EXPECT_EQ(house.ask({Method::post, path, "", {{"X-Position", "9"}}}).number("position"), 1u);
}

TEST_F(WaitingRoomTest, ends_older_receipts_at_a_reset) {
    house.steer(event, "open", 5);
    const std::string old = house.assign(event).text("requestId");
    house.steer(event, "open", 6);
    const Answer refused = house.check(event, old);
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "ROOM_CHANGED");
    const Answer fresh =
        house.ask({Method::post, "/vwr/assign/" + event.text(), "", {{"X-Urr-Receipt", old}}});
    EXPECT_EQ(fresh.status, 201);
    EXPECT_EQ(fresh.number("epoch"), 6u);
    EXPECT_EQ(fresh.number("position"), 1u);
}

TEST_F(WaitingRoomTest, admits_whoever_is_served_with_a_token_of_his_receipt) {
    house.steer(event, "open", 5, 120);
    const std::string first = house.assign(event).text("requestId");
    house.assign(event);
    const std::string third = house.assign(event).text("requestId");
    EXPECT_EQ(house.check(event, third).body.find("admitted")->boolean, false);
    house.pass(milliseconds(1'100)); // two a second
    const Answer admitted = house.check(event, first);
    ASSERT_EQ(admitted.status, 200);
    PublicKeys keys;
    keys.add(house.settings.token_key);
    const Claims claims =
        must(verify_token(keys, admitted.text("token"), TokenType::vwr, house.clock.now()));
    EXPECT_EQ(claims.event, event);
    EXPECT_EQ(claims.position, 1u);
    EXPECT_EQ(claims.epoch, 5u);
    EXPECT_EQ(claims.id, read_receipt(house.settings.receipt_keys, event, first)->id);
    EXPECT_NE(admitted.headers.find("Path=/queue/" + event.text()), std::string::npos);
    EXPECT_NE(admitted.headers.find("Path=/api/v1/queue/" + event.text()), std::string::npos);
    const Answer waiting = house.check(event, third);
    EXPECT_FALSE(waiting.body.boolean_of("admitted"));
    EXPECT_EQ(waiting.number("ahead"), 1u);
}

TEST_F(WaitingRoomTest, lets_everybody_through_while_it_is_off) {
    house.steer(event, "off");
    const Answer through = house.assign(event);
    EXPECT_EQ(through.status, 201);
    EXPECT_EQ(through.number("position"), 0u);
    const std::string receipt = through.text("requestId");
    EXPECT_TRUE(house.check(event, receipt).body.boolean_of("admitted"));
    EXPECT_FALSE(house.status(event).body.boolean_of("isActive"));
    house.steer(event, "open");
    EXPECT_EQ(house.check(event, receipt).code(), "ROOM_CHANGED");
}

TEST_F(WaitingRoomTest, says_at_once_that_it_is_sold_out_and_keeps_the_places) {
    house.steer(event, "prequeue");
    const std::string receipt = house.assign(event).text("requestId");
    house.steer(event, "open", 1, 60, true);
    EXPECT_TRUE(house.status(event).body.boolean_of("soldOut"));
    EXPECT_EQ(house.status(event).text("state"), "soldOut");
    EXPECT_EQ(house.assign(event).code(), "SOLD_OUT");
    EXPECT_EQ(house.check(event, receipt).code(), "SOLD_OUT");
    house.steer(event, "open");
    EXPECT_EQ(house.check(event, receipt).number("position"), 1u);
    EXPECT_GT(house.assign(event).number("position"), 1u);
}

TEST_F(WaitingRoomTest, believes_only_queue_and_only_newer_reports) {
    const std::string body = House::report("open", 5, 9, 60, false);
    EXPECT_EQ(house.put(event, body, nullptr).code(), "ASSERTION_INVALID");
    const CallerKey forged{"queue", HmacKey("guessed")};
    EXPECT_EQ(house.put(event, body, &forged).code(), "ASSERTION_INVALID");
    const CallerKey gateway{"gateway", HmacKey("gateway-to-vwr")};
    EXPECT_EQ(house.put(event, body, &gateway).code(), "FORBIDDEN");
    EXPECT_EQ(house.status(event).status, 404);
    EXPECT_EQ(house.put(event, body, &house.queue).status, 200);
    EXPECT_EQ(house.put(event, body, &house.queue).status, 200); // again: its answer was lost
    EXPECT_EQ(house.put(event, House::report("off", 5, 8, 60, false), &house.queue).code(),
              "REPORT_STALE");
    EXPECT_EQ(house.put(event, House::report("off", 4, 99, 60, false), &house.queue).code(),
              "REPORT_STALE");
    EXPECT_EQ(house.put(event, "{\"epoch\":7}", &house.queue).status, 422);
    EXPECT_EQ(house.status(event).text("state"), "open");
}

TEST_F(WaitingRoomTest, limits_how_often_one_address_takes_numbers) {
    house.crash();
    house.settings.door.assign_limit = {.burst = 5, .per_second = 1, .table_size = 64};
    house.start();
    house.steer(event, "open");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(house.assign(event).status, 201);
    const Answer refused = house.assign(event);
    EXPECT_EQ(refused.status, 429);
    EXPECT_NE(refused.headers.find("Retry-After"), std::string::npos);
    house.pass(seconds(2));
    EXPECT_EQ(house.assign(event).status, 201);
}

TEST_F(WaitingRoomTest, tells_the_same_at_once_and_by_its_routes) {
    house.steer(event, "open", 3, 600);
    const std::string receipt = house.assign(event).text("requestId");
    const Answer hot = house.status(event);
    const Answer slow = house.ask({Method::head, "/vwr/status/" + event.text(), "", {}});
    EXPECT_TRUE(hot.at_once);
    EXPECT_FALSE(slow.at_once);
    for (const char* name :
         {"epoch", "phase", "serving", "voidsServed", "nextPosition", "waiting", "rate"})
        EXPECT_EQ(hot.number(name), slow.number(name)) << name;
    EXPECT_EQ(hot.number("waiting"), 1u);
    EXPECT_EQ(hot.number("rate"), 600u);
}

TEST_F(WaitingRoomTest, counts_what_it_does) {
    house.steer(event, "open");
    const std::string receipt = house.assign(event).text("requestId");
    house.assign(event, 1);
    house.check(event, receipt);
    MetricsText text;
    house.component->append_metrics(text);
    const std::string& figures = text.text();
    EXPECT_NE(figures.find("urr_vwr_assigned_total 2\n"), std::string::npos) << figures;
    EXPECT_NE(figures.find("urr_vwr_checks_total 1\n"), std::string::npos) << figures;
    EXPECT_NE(figures.find("urr_vwr_leases_total 1\n"), std::string::npos) << figures;
    EXPECT_TRUE(house.component->healthy());
}

TEST_F(WaitingRoomTest, shows_its_page) {
    const std::string path = "/vwr/" + event.text();
    const Response page = must(static_page("index.html", ""));
    EXPECT_EQ(page.content_type, type_html);
    EXPECT_NE(page.body.find("aria-live"), std::string::npos);
    EXPECT_EQ(must(static_page("index.html", page.header("ETag"))).status, 304);
    EXPECT_FALSE(static_page("../secrets", ""));
    EXPECT_EQ(house.ask({Method::get, path, "", {}}).status, 200);
    EXPECT_EQ(house.ask({Method::get, "/vwr/assets/waiting.js", "", {}}).status, 200);
    EXPECT_EQ(house.ask({Method::get, "/vwr/assets/other.js", "", {}}).status, 404);
}

// People come in bursts on both loops, the process dies at random instants, queue goes on steering.
// Whoever was told a place keeps it; no place is given twice; serving never goes back; no one is
// admitted before somebody whose place is lower could be.
TEST(WaitingRoomCrash, gives_no_place_twice_and_keeps_every_place) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        House house(seed);
        const EventId event = house.new_event();
        SeededRandom random(seed * 31);
        std::map<std::uint64_t, std::string> places;
        std::uint64_t serving = 0, last = 0;
        for (int turn = 0; turn < 60; ++turn) {
            if (turn % 7 == 0) house.steer(event, "open", 5, std::uint32_t(random.below(2'000)));
            for (std::uint64_t n = random.below(80); n; --n) {
                const Answer answer = house.assign(event, random.below(2));
                ASSERT_EQ(answer.status, 201);
                const std::uint64_t position = answer.number("position");
                ASSERT_GT(position, last);
                last = position;
                ASSERT_TRUE(places.emplace(position, answer.text("requestId")).second);
            }
            house.pass(milliseconds(std::int64_t(random.below(1'500))));
            if (random.chance(150)) {
                house.crash();
                house.start();
            }
            const std::uint64_t now_serving = house.status(event).number("serving");
            ASSERT_GE(now_serving, serving);
            ASSERT_LT(now_serving, house.status(event).number("nextPosition"));
            serving = now_serving;
        }
        for (const auto& [position, receipt] : places) {
            const Answer answer = house.check(event, receipt);
            ASSERT_EQ(answer.status, 200);
            ASSERT_EQ(answer.body.boolean_of("admitted"), position <= serving);
            if (position > serving) ASSERT_EQ(answer.number("position"), position);
        }
    }
}

TEST(WaitingRoomStop, leaves_no_unknown_places_behind) {
    House house(98);
    const EventId event = house.new_event();
    house.steer(event, "prequeue");
    const std::string first = house.assign(event).text("requestId");
    house.spawn(house.first, house.component->close(Context{}));
    house.pass(seconds(1));
    house.crash();
    house.start();
    const Answer second = house.assign(event);
    EXPECT_EQ(second.number("position"), lease_count_min + 1);
    EXPECT_EQ(second.number("ahead"), 2u);
    EXPECT_EQ(house.check(event, first).number("ahead"), 1u);
}

TEST(WaitingRoomCrash, keeps_its_state_across_a_restart) {
    House house(99);
    const EventId event = house.new_event();
    house.steer(event, "paused", 8, 600);
    house.steer(event, "open", 8, 600);
    for (int i = 0; i < 40; ++i) house.assign(event);
    house.pass(milliseconds(2'500));
    const Answer before = house.status(event);
    EXPECT_GT(before.number("serving"), 0u);
    house.crash();
    house.start();
    const Answer after = house.status(event);
    EXPECT_EQ(after.number("serving"), before.number("serving"));
    EXPECT_EQ(after.number("epoch"), 8u);
    EXPECT_EQ(after.text("state"), "open");
    EXPECT_EQ(after.number("voidsServed"), before.number("voidsServed"));
    EXPECT_EQ(house.put(event, House::report("off", 8, 1, 0, false), &house.queue).code(),
              "REPORT_STALE");
}

} // namespace
} // namespace urr::waiting_room
