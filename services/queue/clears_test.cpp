// A clear that a lost store reads in the log after what was told of the people before it and after
// it. They have keys of their own: nothing says what is read first.
#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

struct Clears : testing::Test {
    House house{15};
    Clears() { house.pass(2); }

    AccountId enters(const std::string& room_token) {
        const AccountId who = house.fan();
        EXPECT_EQ(house.enter(who, room_token).status, 200);
        return who;
    }
    void close_door() { house.lever("threshold", R"({"threshold":0})"); }
    // All that was told of people, or of the levers and the clear, in that order.
    std::vector<Message> told(bool of_levers) {
        std::vector<Message> all = house.told();
        std::erase_if(all, [&](const Message& one) {
            const bool is_of_person = one.type == EntryAdmitted::type ||
                                      one.type == EntryReturned::type ||
                                      one.type == EntryEnded::type;
            return of_levers ? one.type != LeversPulled::type : !is_of_person;
        });
        return all;
    }
    void hears(const std::vector<Message>& messages) {
        for (const Message& message : messages)
            house.run([](House& of, Message one) -> Task<> {
                must(co_await of.service->consume(Context{}, std::move(one)));
            }(house, message));
    }
    // The store is lost, and so is what the room has heard of the clear; the log is not read yet.
    void lose_clear(const RoomSeen& room) {
        house.crash();
        lose_lines(house);
        house.room.away = false;
        house.room.rooms[house.event] = room;
        house.log_waits = true;
        house.start();
    }
    std::int64_t overview(std::string_view name) {
        House::Ask what{
            house.fan(), Method::get, "/api/v1/queue/admin/" + house.event.text(), "", {}};
        what.role = Role::admin;
        return house.ask(what).number(name);
    }
};

TEST_F(Clears, that_are_read_late_leave_those_of_their_own_epoch_as_they_are) {
    house.room.rooms[house.event].next = 10;
    const RoomSeen before = house.room.rooms[house.event];
    house.lever("clear", "");
    house.pass(1); // the room begins anew
    ASSERT_GT(house.epoch(), before.epoch);
    const std::string spent = house.room_token(2), third = house.room_token(3);
    const AccountId inside = enters(house.room_token(1)), left = enters(spent);
    house.pass(2);
    const std::string entry = house.status(inside).text("entryToken");
    EXPECT_TRUE(house.status(left).active());
    house.leave(left);
    close_door();
    const auto of_people = told(false), of_levers = told(true);
    ASSERT_EQ(of_people.size(), 3u);
    lose_clear(before);
    close_door();
    hears(of_people);
    const AccountId waiting = enters(third);
    Answer stream = house.stream(waiting);
    hears(of_levers);
    EXPECT_EQ(house.frames_of(*stream.stream).find("cleared"), std::string::npos);
    EXPECT_EQ(house.status(inside).text("entryToken"), entry);
    EXPECT_FALSE(house.is_revoked(entry));
    EXPECT_EQ(house.status(waiting).text("status"), "queued");
    // Who had his time is the last, and his receipt is nobody else's.
    EXPECT_EQ(house.enter(house.fan(), spent).code(), "VWR_TOKEN_SPENT");
    EXPECT_EQ(house.enter(left, spent).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(waiting).number("position"), 1);
    EXPECT_EQ(house.status(left).number("position"), 2);
    EXPECT_EQ(overview("active"), 1);
    // The store has the same.
    house.crash();
    house.start();
    house.pass(1);
    EXPECT_EQ(house.status(inside).text("entryToken"), entry);
    EXPECT_EQ(house.status(waiting).number("position"), 1);
    EXPECT_EQ(house.status(left).number("position"), 2);
}

TEST_F(Clears, give_nobody_back_what_he_had_before_them_however_late_that_is_read) {
    house.room.rooms[house.event].next = 10;
    const AccountId inside = enters(house.room_token(1)), no_show = enters(house.room_token(2));
    house.pass(2);
    const std::string entry = house.status(inside).text("entryToken");
    close_door();
    house.pass(60); // the other one's entry goes back
    EXPECT_EQ(house.status(no_show).text("status"), "queued");
    house.room.away = true;
    house.lever("clear", "");
    const auto of_people = told(false), of_levers = told(true);
    ASSERT_EQ(of_people.size(), 4u);
    lose_clear(house.room.rooms[house.event]);
    EXPECT_EQ(house.status(inside, {{"X-Queue-Entry-Token", entry}}).text("entryToken"), entry);
    hears(of_levers);
    hears(of_people);
    EXPECT_TRUE(house.is_revoked(entry));
    EXPECT_EQ(house.status(inside, {{"X-Queue-Entry-Token", entry}}).code(), "QUEUE_RECOVERING");
    EXPECT_EQ(house.status(no_show).code(), "QUEUE_RECOVERING");
    house.pass(1);
    EXPECT_EQ(overview("active"), 0);
    EXPECT_EQ(overview("waiting"), 0);
    // A new number is as good as anybody's.
    for (const AccountId& who : {inside, no_show})
        EXPECT_EQ(house.enter(who, house.room_token(5)).status, 200);
}

} // namespace
} // namespace urr::queue
