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

} // namespace
} // namespace urr::queue
