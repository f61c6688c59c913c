// What an organizer may set while the sale runs.
#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

struct LeverTest : testing::Test {
    House house{12};
    LeverTest() { house.pass(2); }

    AccountId queued(std::uint64_t position) {
        const AccountId who = house.fan();
        EXPECT_EQ(house.enter(who, house.room_token(position)).status, 200);
        return who;
    }
    Answer overview() {
        House::Ask what{
            house.fan(), Method::get, "/api/v1/queue/admin/" + house.event.text(), "", {}};
        what.role = Role::admin;
        return house.ask(what);
    }
    // What was told of the levers so far, in order.
    std::vector<Message> told_levers() {
        std::vector<Message> all = house.told();
        std::erase_if(all, [](const Message& one) { return one.type != LeversPulled::type; });
        return all;
    }
    void hears(const Message& message) {
        house.run([](House& of, Message told) -> Task<> {
            must(co_await of.service->consume(Context{}, std::move(told)));
        }(house, message));
    }
    // He gives signs of life meanwhile.
    void wait(const AccountId& who, int tens_of_seconds) {
        for (int i = 0; i < tens_of_seconds; ++i) {
            house.pass(10);
            house.status(who);
        }
    }
    static std::int64_t effect(const Answer& answer, std::string_view name) {
        const JsonValue* all = answer.body.find("effect");
        return all ? all->integer_of(name) : -1;
    }
};

TEST_F(LeverTest, are_for_admins_alone) {
    for (const char* end :
         {"/threshold", "/rate", "/state", "/message", "/pause", "/resume", "/clear"}) {
        House::Ask what{
            house.fan(), Method::post, "/api/v1/queue/admin/" + house.event.text() + end, "{}", {}};
        EXPECT_EQ(house.ask(what).code(), "FORBIDDEN") << end;
        what.role = Role::staff;
        EXPECT_EQ(house.ask(what).code(), "FORBIDDEN") << end;
        what.role = Role::anonymous;
        EXPECT_EQ(house.ask(what).code(), "UNAUTHENTICATED") << end;
    }
    for (const char* end : {"", "/acts"}) {
        House::Ask what{
            house.fan(), Method::get, "/api/v1/queue/admin/" + house.event.text() + end, "", {}};
        EXPECT_EQ(house.ask(what).code(), "FORBIDDEN") << end;
    }
}

TEST_F(LeverTest, refuse_what_makes_no_sense) {
    EXPECT_EQ(house.lever("threshold", R"({"threshold":-1})").code(), "VALIDATION_FAILED");
    EXPECT_EQ(house.lever("rate", R"({"perSecond":1000001})").code(), "VALIDATION_FAILED");
    EXPECT_EQ(house.lever("state", R"({"state":"party"})").code(), "VALIDATION_FAILED");
    EXPECT_EQ(house.lever("message", "{\"message\":\"" + std::string(501, 'x') + "\"}").code(),
              "VALIDATION_FAILED");
    EXPECT_EQ(house.lever("threshold", R"({"threshold":1)").code(), "BAD_REQUEST");
    EXPECT_EQ(house.lever("threshold?dryRun=perhaps", R"({"threshold":1})").code(),
              "VALIDATION_FAILED");
    House::Ask unknown{
        house.fan(), Method::post, "/api/v1/queue/admin/" + house.fan().text() + "/pause", "", {}};
    unknown.role = Role::admin;
    EXPECT_EQ(house.ask(unknown).code(), "NOT_FOUND");
}

TEST_F(LeverTest, say_what_they_would_do_and_do_nothing) {
    house.lever("threshold", R"({"threshold":2})");
    std::vector<AccountId> fans;
    for (std::uint64_t i = 1; i <= 5; ++i) fans.push_back(queued(i));
    house.pass(2);
    house.room.rooms[house.event].waiting = 70;
    house.pass(1);
    const Answer lower = house.lever("threshold", R"({"threshold":1})", true);
    EXPECT_TRUE(lower.body.boolean_of("dryRun"));
    EXPECT_EQ(lower.number("threshold"), 1);
    EXPECT_EQ(effect(lower, "overThreshold"), 1);
    const Answer higher = house.lever("threshold", R"({"threshold":4})", true);
    EXPECT_EQ(effect(higher, "admittedNext"), 2);
    const Answer message = house.lever("message", R"({"message":"곧 시작합니다"})", true);
    EXPECT_EQ(effect(message, "told"), 3);
    const Answer clear = house.lever("clear", "", true);
    EXPECT_EQ(effect(clear, "losePlaces"), 3 + 70);
    EXPECT_EQ(effect(clear, "loseSlots"), 2);
    house.pass(1);
    const Answer now = overview();
    EXPECT_EQ(now.number("threshold"), 2);
    EXPECT_EQ(now.number("waiting"), 3);
    EXPECT_EQ(now.number("active"), 2);
    EXPECT_EQ(now.body.find("message")->kind, JsonValue::Kind::null);
    EXPECT_EQ(now.body.find("effect"), nullptr);
}

TEST_F(LeverTest, hold_over_a_restart_and_are_written_down) {
    house.lever("threshold", R"({"threshold":3})");
    house.lever("rate", R"({"perSecond":7})");
    house.lever("pause", "");
    house.lever("state", R"({"state":"prequeue"})");
    house.lever("message", R"({"message":"Sound \"check\""})");
    house.crash();
    house.start();
    const Answer now = overview();
    EXPECT_EQ(now.number("threshold"), 3);
    EXPECT_EQ(now.number("perSecond"), 7);
    EXPECT_TRUE(now.body.boolean_of("paused"));
    EXPECT_EQ(now.text("state"), "prequeue");
    EXPECT_EQ(now.text("message"), "Sound \"check\"");
    House::Ask what{
        house.fan(), Method::get, "/api/v1/queue/admin/" + house.event.text() + "/acts", "", {}};
    what.role = Role::admin;
    const Answer acts = house.ask(what);
    const auto& items = acts.body.find("items")->items;
    ASSERT_EQ(items.size(), 5u) << acts.body_text;
    std::set<std::string> kinds;
    for (const JsonValue& item : items) {
        EXPECT_TRUE(AccountId::parse(item.text_of("by")));
        kinds.insert(item.find("act")->names.at(0));
    }
    EXPECT_EQ(kinds,
              (std::set<std::string>{"threshold", "perSecond", "paused", "state", "message"}));
}

TEST_F(LeverTest, hold_over_the_loss_of_the_store_and_of_all_processes) {
    house.lever("threshold", R"({"threshold":3})");
    house.lever("rate", R"({"perSecond":7})");
    house.lever("message", R"({"message":"Sound \"check\""})");
    house.lever("pause", "");
    const auto who = queued(1);
    const std::string place = house.status(who).text("place");
    house.room.rooms[house.event].next = 2;
    house.pass(1);
    house.lose_store();
    EXPECT_EQ(house.status(who, {{"X-Urr-Place", place}}).text("status"), "queued");
    wait(who, 8);
    const Answer now = overview();
    EXPECT_FALSE(now.body.boolean_of("recovering"));
    EXPECT_EQ(now.number("threshold"), 3);
    EXPECT_EQ(now.number("perSecond"), 7);
    EXPECT_TRUE(now.body.boolean_of("paused"));
    EXPECT_EQ(now.text("state"), "auto");
    EXPECT_EQ(now.text("message"), "Sound \"check\"");
    EXPECT_EQ(house.status(who).text("status"), "queued");
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "paused");
    house.lever("resume", "");
    house.pass(2);
    EXPECT_TRUE(house.status(who).active());
}

// Nothing says that the event had a life: no number was given, no seat is gone.
TEST_F(LeverTest, of_a_sale_that_nobody_has_come_to_hold_over_a_loss_too) {
    house.lever("pause", "");
    house.pass(1);
    house.log_waits = true;
    house.lose_store();
    const auto who = queued(1);
    wait(who, 8);
    EXPECT_EQ(house.status(who).text("status"), "queued"); // until the log was read
    EXPECT_TRUE(overview().body.boolean_of("recovering"));
    house.log_waits = false;
    house.pass(3);
    EXPECT_FALSE(overview().body.boolean_of("recovering"));
    EXPECT_TRUE(overview().body.boolean_of("paused"));
    EXPECT_EQ(house.status(who).text("status"), "queued");
}

TEST_F(LeverTest, that_are_pulled_after_a_loss_hold_over_what_the_log_tells_later) {
    house.lever("threshold", R"({"threshold":3})");
    house.lever("pause", "");
    house.pass(1);
    house.log_waits = true;
    house.lose_store();
    EXPECT_EQ(house.lever("threshold", R"({"threshold":5})").number("threshold"), 5);
    EXPECT_EQ(house.lever("message", R"({"message":"a moment"})").text("message"), "a moment");
    EXPECT_FALSE(overview().body.boolean_of("paused")); // as the settings have it
    house.log_waits = false;
    house.pass(3);
    EXPECT_EQ(overview().number("threshold"), 5);
    EXPECT_TRUE(overview().body.boolean_of("paused"));
    EXPECT_EQ(overview().text("message"), "a moment");
    // And over a second loss.
    house.lose_store();
    house.pass(3);
    EXPECT_EQ(overview().number("threshold"), 5);
    EXPECT_TRUE(overview().body.boolean_of("paused"));
}

TEST_F(LeverTest, are_the_newest_however_often_and_in_whichever_order_they_are_told) {
    for (const int threshold : {3, 4, 5})
        house.lever("threshold", "{\"threshold\":" + std::to_string(threshold) + "}");
    house.lever("pause", "");
    house.lever("resume", "");
    house.lever("pause", "");
    const auto told = told_levers();
    ASSERT_EQ(told.size(), 6u);
    house.log_waits = true;
    house.lose_store();
    for (int i = 0; i < 30; ++i) hears(told[house.random.below(told.size())]);
    for (auto each = told.rbegin(); each != told.rend(); ++each) hears(*each);
    EXPECT_EQ(overview().number("threshold"), 5);
    EXPECT_TRUE(overview().body.boolean_of("paused"));
}

TEST_F(LeverTest, are_told_again_as_the_log_forgets) {
    const auto half_hours = [&](int count) {
        for (int i = 0; i < count; ++i) {
            house.clock.advance(minutes(30));
            house.pass(3);
        }
    };
    half_hours(2);
    EXPECT_EQ(told_levers().size(), 0u); // nobody has pulled one
    house.lever("pause", "");
    EXPECT_EQ(told_levers().size(), 1u);
    half_hours(2);
    const auto told = told_levers();
    ASSERT_EQ(told.size(), 3u);
    EXPECT_FALSE(must(read_json<LeversPulled>(told[0].data)).account.is_zero());
    EXPECT_TRUE(must(read_json<LeversPulled>(told[2].data)).account.is_zero());
    EXPECT_EQ(told[2].key, house.event.bytes);
    house.lose_store();
    house.log_waits = true;
    hears(told[2]); // what came before was forgotten
    EXPECT_TRUE(overview().body.boolean_of("paused"));
    house.log_waits = false;
    house.events.all[house.event].over = true;
    house.pass(3);
    const std::size_t before = told_levers().size();
    half_hours(2);
    EXPECT_EQ(told_levers().size(), before); // a sale that is over needs none
}

TEST_F(LeverTest, pause_lets_nobody_in_and_the_room_stands_still) {
    house.lever("pause", "");
    const auto who = queued(1);
    house.pass(3);
    EXPECT_EQ(house.status(who).text("status"), "queued");
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "paused");
    house.lever("resume", "");
    house.pass(2);
    EXPECT_TRUE(house.status(who).active());
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "open");
}

TEST_F(LeverTest, rate_bounds_how_many_come_in_a_second) {
    house.lever("rate", R"({"perSecond":2})");
    house.lever("pause", "");
    for (std::uint64_t i = 1; i <= 9; ++i) queued(i);
    house.lever("resume", "");
    house.pass(2);
    EXPECT_EQ(overview().number("active"), 4);
    EXPECT_EQ(house.room.reports[house.event].integer_of("rate"), 2 * 60);
}

TEST_F(LeverTest, state_holds_the_room_before_its_opening_or_does_without_it) {
    house.lever("state", R"({"state":"prequeue"})");
    const auto early = queued(1);
    house.pass(2);
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "prequeue");
    EXPECT_EQ(house.status(early).text("status"), "queued");
    house.lever("state", R"({"state":"off"})");
    const auto without = house.fan();
    EXPECT_EQ(house.enter(without).status, 200);
    house.pass(2);
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "off");
    EXPECT_TRUE(house.status(without).active());
    house.lever("state", R"({"state":"auto"})");
    EXPECT_EQ(house.enter(house.fan()).code(), "VWR_TOKEN_REQUIRED");
}

TEST_F(LeverTest, the_message_reaches_all_who_wait) {
    house.lever("threshold", R"({"threshold":0})");
    const auto who = queued(1);
    Answer stream = house.stream(who);
    house.frames_of(*stream.stream);
    house.lever("message", R"({"message":"10분 늦게 시작합니다"})");
    EXPECT_NE(house.frames_of(*stream.stream).find("10분 늦게 시작합니다"), std::string::npos);
    EXPECT_EQ(house.status(who).text("message"), "10분 늦게 시작합니다");
    house.lever("message", R"({"message":null})");
    EXPECT_EQ(house.status(who).body.find("message")->kind, JsonValue::Kind::null);
}

TEST_F(LeverTest, clear_ends_every_place_and_slot_and_begins_a_new_epoch) {
    house.lever("threshold", R"({"threshold":1})");
    const auto inside = queued(1), waiting = queued(2);
    house.pass(2);
    const std::string entry = house.status(inside).text("entryToken");
    const std::string old_token = house.room_token(9);
    const std::string old_place = house.status(waiting).text("place");
    const std::uint64_t before = house.epoch();
    Answer stream = house.stream(waiting);
    const Answer done = house.lever("clear", "");
    EXPECT_EQ(effect(done, "losePlaces"), 1);
    EXPECT_EQ(effect(done, "loseSlots"), 1);
    EXPECT_TRUE(house.is_revoked(entry));
    EXPECT_NE(house.frames_of(*stream.stream).find("cleared"), std::string::npos);
    EXPECT_EQ(house.status(waiting).code(), "NOT_IN_QUEUE");
    house.pass(1);
    EXPECT_GT(house.epoch(), before); // the room begins anew
    EXPECT_EQ(house.enter(house.fan(), old_token).code(), "ROOM_CHANGED");
    EXPECT_EQ(house.enter(waiting, "", {{"X-Urr-Place", old_place}}).code(), "VWR_TOKEN_REQUIRED");
    // A new number is as good as anybody's.
    const auto late = queued(8);
    EXPECT_EQ(house.enter(inside, house.room_token(3)).status, 200);
    house.lever("threshold", R"({"threshold":0})");
    house.pass(1);
    house.crash();
    house.start();
    house.pass(1);
    EXPECT_EQ(overview().number("waiting") + overview().number("active"), 2);
    EXPECT_NE(house.status(late).status, 404);
}

TEST_F(LeverTest, clear_holds_over_a_loss_also_before_the_room_has_heard_of_it) {
    house.lever("threshold", R"({"threshold":1})");
    for (const bool room_hears : {true, false}) {
        SCOPED_TRACE(room_hears ? "the room has heard of it" : "the room has not");
        const auto inside = queued(1), waiting = queued(2);
        house.room.rooms[house.event].next = 3;
        house.pass(2);
        const std::string entry = house.status(inside).text("entryToken");
        const std::string place = house.status(waiting).text("place");
        const std::uint64_t before = house.epoch();
        house.room.away = !room_hears;
        EXPECT_EQ(house.lever("clear", "").status, 200);
        house.pass(1);
        EXPECT_EQ(house.epoch() > before, room_hears);
        house.crash();
        lose_lines(house);
        house.room.away = false;
        house.start();
        house.status(inside, {{"X-Queue-Entry-Token", entry}});
        house.pass(3);
        EXPECT_GT(house.epoch(), before);
        EXPECT_TRUE(house.is_revoked(entry));
        EXPECT_FALSE(house.status(inside, {{"X-Queue-Entry-Token", entry}}).active());
        EXPECT_NE(house.status(waiting, {{"X-Urr-Place", place}}).status, 200);
        EXPECT_EQ(overview().number("active"), 0);
        // A new number is as good as anybody's.
        EXPECT_EQ(house.enter(inside, house.room_token(9)).status, 200);
        EXPECT_EQ(house.leave(inside).status, 204);
        house.pass(70);
    }
}

} // namespace
} // namespace urr::queue
