// What comes back after a crash, and after queue's store was lost.
#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

struct Recovery : testing::Test {
    House house{13};
    Recovery() { house.pass(2); }

    struct Fan {
        AccountId who;
        std::string room_token, place, entry;
    };
    Fan queued(std::uint64_t position) {
        Fan fan{house.fan(), house.room_token(position), "", ""};
        const Answer answer = house.enter(fan.who, fan.room_token);
        EXPECT_EQ(answer.status, 200) << answer.body_text;
        fan.place = answer.text("place");
        house.room.rooms[house.event].next =
            std::max(house.room.rooms[house.event].next, position + 1);
        return fan;
    }
    void let_in(Fan& fan) {
        const Answer answer = house.status(fan.who);
        EXPECT_TRUE(answer.active()) << answer.body_text;
        fan.entry = answer.text("entryToken");
    }
    Answer shows_place(const Fan& fan) {
        return house.status(fan.who, {{"X-Urr-Place", fan.place}});
    }
    Answer shows_entry(const Fan& fan) {
        return house.status(fan.who, {{"X-Queue-Entry-Token", fan.entry}});
    }
    // The message as one that this life of the store has not heard yet; what the account is then.
    std::optional<Member> heard_anew(const Message& message) {
        std::optional<Member> member;
        house.run([](House& of, Message told, std::optional<Member>& out) -> Task<> {
            const auto seen = MessageId::make(of.clock.now(), of.random);
            LineStore& store = of.lines->store();
            if (told.type == EntryAdmitted::type)
                out = must(co_await store.rebuild(Context{}, seen,
                                                  must(read_json<EntryAdmitted>(told.data)), {},
                                                  {of.service->generation(), seen}));
            else
                out = must(co_await store.rebuild(Context{}, seen,
                                                  must(read_json<EntryReturned>(told.data))));
        }(house, message, member));
        return member;
    }
    void close_door() { house.lever("threshold", R"({"threshold":0})"); }
};

TEST_F(Recovery, a_crash_costs_nobody_place_or_slot) {
    house.lever("threshold", R"({"threshold":2})");
    std::vector<Fan> fans;
    for (std::uint64_t i = 1; i <= 6; ++i) fans.push_back(queued(i * 10));
    house.pass(2);
    let_in(fans[0]);
    let_in(fans[1]);
    house.crash();
    house.start();
    EXPECT_EQ(house.status(fans[0].who).text("entryToken"), fans[0].entry);
    for (int i = 2; i < 6; ++i)
        EXPECT_EQ(house.status(fans[std::size_t(i)].who).number("ahead"), i - 2);
    house.leave(fans[0].who);
    house.pass(1);
    EXPECT_TRUE(house.status(fans[2].who).active()); // no pause: nothing was lost
}

TEST_F(Recovery, an_acknowledged_join_survives_a_crash_at_any_step) {
    for (std::uint64_t seed = 100; seed < 112; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        House crashing(seed);
        crashing.pass(2);
        crashing.lever("threshold", R"({"threshold":3})");
        std::vector<AccountId> acknowledged;
        for (std::uint64_t i = 1; i <= 12; ++i) {
            const AccountId who = crashing.fan();
            if (crashing.enter(who, crashing.room_token(i)).status == 200)
                acknowledged.push_back(who);
            const std::uint64_t steps = crashing.random.below(40);
            for (std::uint64_t s = 0; s < steps; ++s) crashing.world.step();
            if (crashing.random.chance(250)) {
                crashing.crash();
                crashing.start();
            }
        }
        crashing.pass(1);
        std::int64_t last = -1;
        std::int64_t active = 0;
        for (const AccountId& who : acknowledged) {
            const Answer answer = crashing.status(who);
            ASSERT_EQ(answer.status, 200) << answer.body_text;
            active += answer.active() ? 1 : 0;
            if (answer.active()) continue;
            EXPECT_GT(answer.number("ahead"), last);
            last = answer.number("ahead");
        }
        EXPECT_LE(active, 3);
    }
}

TEST_F(Recovery, a_new_event_is_open_at_once) {
    const EventId fresh = EventId::make(house.clock.now(), house.random);
    house.events.all[fresh] = {.on_sale = true, .free = 10};
    house.event = fresh;
    const AccountId who = house.fan();
    EXPECT_EQ(house.enter(who).status, 200); // before the first tick
    house.pass(2);
    EXPECT_TRUE(house.status(who).active());
}

TEST_F(Recovery, a_lost_store_gathers_places_before_it_lets_anybody_in) {
    close_door();
    std::vector<Fan> fans;
    for (std::uint64_t i = 1; i <= 4; ++i) fans.push_back(queued(i * 10));
    house.pass(1);
    const std::uint64_t epoch = house.epoch();
    house.lose_store();
    EXPECT_EQ(house.status(fans[0].who).code(), "QUEUE_RECOVERING");
    EXPECT_EQ(house.leave(fans[0].who).code(), "QUEUE_RECOVERING");
    house.lever("threshold", R"({"threshold":1000})");
    // They come back in any order, by place or by what the room gave them.
    for (const int i : {3, 1, 2}) EXPECT_EQ(shows_place(fans[std::size_t(i)]).status, 200);
    EXPECT_EQ(house.enter(fans[0].who, fans[0].room_token).status, 200);
    house.pass(1);
    EXPECT_EQ(house.epoch(), epoch); // read from the room, not begun anew
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "paused");
    for (std::size_t i = 0; i < 4; ++i) {
        const Answer answer = house.status(fans[i].who);
        EXPECT_EQ(answer.number("ahead"), std::int64_t(i));
        EXPECT_TRUE(answer.body.boolean_of("recovering"));
    }
    for (int i = 0; i < 5; ++i) {
        house.pass(10);
        for (const Fan& fan : fans) EXPECT_FALSE(house.status(fan.who).active());
    }
    house.pass(10);
    for (const Fan& fan : fans) EXPECT_TRUE(house.status(fan.who).active());
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "open");
    // Who slept meanwhile still has his place in the signed token.
    EXPECT_EQ(house.status(house.fan()).code(), "NOT_IN_QUEUE");
}

TEST_F(Recovery, a_place_is_restored_also_after_the_pause) {
    close_door();
    const Fan sleeper = queued(1), other = queued(2);
    house.pass(1);
    house.lose_store();
    close_door();
    shows_place(other);
    house.pass(70);
    EXPECT_EQ(house.status(other.who).number("position"), 1);
    EXPECT_EQ(shows_place(sleeper).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(sleeper.who).number("position"), 1);
    EXPECT_EQ(house.status(other.who).number("position"), 2);
}

TEST_F(Recovery, what_replaced_keys_signed_still_counts_when_it_is_shown) {
    house.lever("threshold", R"({"threshold":1})");
    Fan inside = queued(1);
    const Fan waiting = queued(2);
    house.pass(2);
    let_in(inside);
    const AccountId late = house.fan();
    const std::string room_token = house.room_token(3);
    house.replace_keys();
    house.lose_store();
    EXPECT_TRUE(shows_entry(inside).active());
    EXPECT_EQ(shows_place(waiting).status, 200);
    EXPECT_EQ(house.enter(late, room_token).status, 200);
}

TEST_F(Recovery, a_lost_store_gives_slots_back_to_those_who_hold_entries) {
    house.lever("threshold", R"({"threshold":2})");
    Fan inside = queued(1), left = queued(2);
    const Fan waiting = queued(3);
    house.pass(2);
    let_in(inside);
    let_in(left);
    house.leave(left.who);
    house.pass(1);
    house.lose_store();
    EXPECT_EQ(shows_entry(inside).text("entryToken"), inside.entry);
    // The log tells that the other one has left.
    house.pass(2);
    EXPECT_EQ(shows_entry(left).code(), "QUEUE_RECOVERING");
    EXPECT_TRUE(house.is_revoked(left.entry));
    EXPECT_FALSE(house.is_revoked(inside.entry));
    EXPECT_EQ(shows_place(waiting).text("status"), "active"); // the log knew: he was let in
}

TEST_F(Recovery, a_spent_place_is_not_usable_twice_after_the_store_was_lost) {
    house.lever("threshold", R"({"threshold":1})");
    Fan buyer = queued(1);
    house.pass(2);
    let_in(buyer);
    house.bought(buyer.who);
    house.lever("threshold", R"({"threshold":0})");
    const Fan a = queued(5), b = queued(6);
    house.pass(1);
    house.log_waits = true;
    house.lose_store();
    house.lever("threshold", R"({"threshold":0})");
    // At once, before the log was read, and again after it.
    EXPECT_EQ(house.enter(buyer.who, buyer.room_token, {{"X-Urr-Place", buyer.place}}).status, 200);
    shows_place(a);
    shows_place(b);
    house.log_waits = false;
    house.pass(2);
    EXPECT_EQ(house.status(buyer.who).code(), "QUEUE_RECOVERING"); // the log has ended it
    EXPECT_EQ(house.enter(buyer.who, buyer.room_token, {{"X-Urr-Place", buyer.place}}).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(buyer.who).number("position"), 3);
    EXPECT_EQ(house.status(a.who).number("position"), 1);
    EXPECT_EQ(house.enter(house.fan(), buyer.room_token).code(), "VWR_TOKEN_SPENT");
}

TEST_F(Recovery, who_comes_again_stands_behind_those_who_have_not_shown_their_places_yet) {
    house.lever("threshold", R"({"threshold":1})");
    Fan buyer = queued(1);
    house.pass(2);
    let_in(buyer);
    house.bought(buyer.who);
    house.lever("threshold", R"({"threshold":0})");
    const Fan a = queued(5), b = queued(6);
    house.room.rooms[house.event].serving = 6; // nobody behind is in this line
    house.pass(1);
    house.lose_store();
    house.pass(2);
    EXPECT_EQ(house.enter(buyer.who, buyer.room_token).status, 200);
    shows_place(b);
    shows_place(a);
    house.pass(1);
    EXPECT_EQ(house.status(a.who).number("position"), 1);
    EXPECT_EQ(house.status(b.who).number("position"), 2);
    EXPECT_EQ(house.status(buyer.who).number("position"), 3);
}

// Purchases and queue-events come by topics of their own: nothing says which is first.
TEST_F(Recovery, a_purchase_that_a_lost_store_hears_of_before_the_admission_spends_the_place) {
    house.lever("threshold", R"({"threshold":1})");
    for (const bool shows_first : {false, true}) {
        SCOPED_TRACE(shows_first ? "he has shown his place" : "nothing is known of him");
        Fan buyer = queued(shows_first ? 3 : 1);
        const Fan other = queued(shows_first ? 8 : 5);
        house.pass(2);
        let_in(buyer);
        house.log_waits = true;
        house.lose_store();
        if (shows_first) EXPECT_EQ(shows_place(buyer).text("status"), "queued");
        house.bought(buyer.who);
        house.lever("threshold", R"({"threshold":1})");
        shows_place(other);
        EXPECT_EQ(shows_entry(buyer).code(), "QUEUE_RECOVERING"); // it gives no slot any more
        EXPECT_TRUE(house.is_revoked(buyer.entry));
        house.log_waits = false;
        house.pass(2);
        EXPECT_EQ(house.status(buyer.who).code(), "QUEUE_RECOVERING");
        EXPECT_TRUE(house.is_revoked(buyer.entry));
        // Coming again he is the last, whatever he brings.
        const Answer again =
            house.enter(buyer.who, buyer.room_token, {{"X-Urr-Place", buyer.place}});
        EXPECT_EQ(again.text("status"), "queued");
        house.pass(1);
        EXPECT_EQ(house.status(buyer.who).number("ahead"), 1);
        for (int i = 0; i < 7; ++i) {
            house.pass(10);
            house.status(other.who);
        }
        EXPECT_TRUE(house.status(other.who).active());
        house.leave(other.who);
        house.leave(buyer.who);
    }
}

TEST_F(Recovery, a_purchase_of_a_lost_line_waits_until_it_is_known_which_epoch_it_has) {
    house.lever("threshold", R"({"threshold":1})");
    Fan buyer = queued(1);
    house.pass(2);
    let_in(buyer);
    house.log_waits = true;
    house.room.away = true;
    house.lose_store();
    const auto told = house.tell_bought(buyer.who, house.clock.now());
    EXPECT_EQ(told.error().code(), Code::UNAVAILABLE); // it comes again, and is no poison
    house.room.away = false;
    house.bought(buyer.who);
    EXPECT_EQ(shows_entry(buyer).code(), "QUEUE_RECOVERING");
    EXPECT_TRUE(house.is_revoked(buyer.entry));
}

TEST_F(Recovery, a_purchase_of_an_earlier_time_ends_no_place_that_was_taken_after_it) {
    house.lever("threshold", R"({"threshold":1})");
    Fan buyer = queued(1);
    house.pass(2);
    let_in(buyer);
    const Instant bought = house.clock.now();
    house.bought(buyer.who);
    house.lever("threshold", R"({"threshold":0})");
    house.pass(1);
    const Answer again = house.enter(buyer.who, buyer.room_token);
    ASSERT_EQ(again.text("status"), "queued");
    buyer.place = again.text("place");
    house.log_waits = true;
    house.lose_store();
    EXPECT_EQ(shows_place(buyer).text("status"), "queued");
    must(house.tell_bought(buyer.who, bought)); // again, after the store was lost
    EXPECT_EQ(house.status(buyer.who).text("status"), "queued");
}

TEST_F(Recovery, who_did_not_fetch_the_entry_has_his_place_still) {
    house.lever("threshold", R"({"threshold":1})");
    const Fan no_show = queued(1), other = queued(2);
    for (int i = 0; i < 6; ++i) {
        house.pass(10);
        house.status(other.who);
    }
    EXPECT_TRUE(house.status(other.who).active());
    house.lose_store();
    house.lever("threshold", R"({"threshold":1})");
    house.pass(2);
    EXPECT_EQ(shows_place(no_show).number("position"), 1);
    EXPECT_TRUE(house.status(other.who).active());
}

// An entry tells the second of its admission, which may be that of its place too.
TEST_F(Recovery, who_took_the_slot_again_and_left_is_let_in_by_nothing_that_is_read_later) {
    std::vector<Fan> fans;
    for (std::uint64_t i = 1; i <= 10; ++i) {
        fans.push_back(queued(i));
        house.pass(1);
        house.clock.advance(milliseconds(100)); // another part of the second
        let_in(fans.back());
    }
    house.log_waits = true;
    house.lose_store();
    for (const Fan& fan : fans) {
        EXPECT_TRUE(shows_entry(fan).active());
        EXPECT_EQ(house.leave(fan.who).status, 204);
    }
    const Fan other = queued(20);
    EXPECT_EQ(shows_place(fans[0]).text("status"), "queued"); // before it, and the others after it
    house.log_waits = false;
    house.pass(2);
    for (const Fan& fan : fans) EXPECT_EQ(shows_place(fan).text("status"), "queued");
    house.pass(1);
    EXPECT_EQ(house.status(other.who).number("position"), 1);
}

// A server that has forgotten nothing: what the log tells of was done here.
TEST_F(Recovery, who_was_taken_back_keeps_the_place_when_the_store_is_started_anew) {
    house.lever("threshold", R"({"threshold":1})");
    const Fan no_show = queued(1), other = queued(2), third = queued(3);
    for (int i = 0; i < 6; ++i) {
        house.pass(10);
        house.status(other.who);
    }
    EXPECT_TRUE(house.status(other.who).active());
    close_door();
    house.pass(11 * 60); // the time of both entries is over
    house.restart_store();
    house.pass(3);
    EXPECT_EQ(house.status(no_show.who).number("position"), 1);
    EXPECT_EQ(house.status(third.who).number("position"), 2);
    EXPECT_EQ(house.service->metrics().rebuilt.value(), 0u);
}

TEST_F(Recovery, an_entry_that_nobody_fetched_goes_to_the_next_after_the_store_was_started_anew) {
    house.lever("threshold", R"({"threshold":1})");
    const Fan no_show = queued(1), next = queued(2);
    house.pass(2); // the first is let in and does not hear of it
    house.restart_store();
    for (int i = 0; i < 12; ++i) {
        house.pass(10);
        house.status(next.who);
    }
    EXPECT_TRUE(house.status(next.who).active());
    EXPECT_EQ(house.status(no_show.who).text("status"), "queued");
}

TEST_F(Recovery, who_was_taken_back_and_left_has_bought_nothing_however_often_that_is_read) {
    house.lever("threshold", R"({"threshold":1})");
    const Fan no_show = queued(1);
    house.pass(60);
    close_door();
    EXPECT_EQ(house.status(no_show.who).text("status"), "queued");
    EXPECT_EQ(house.leave(no_show.who).status, 204);
    house.restart_store();
    house.pass(3);
    // And where the store does not know that it was told here.
    for (const Message& message : house.told())
        if (message.type == EntryAdmitted::type) EXPECT_FALSE(heard_anew(message));
    for (const Message& message : house.told())
        if (message.type == EntryEnded::type)
            EXPECT_EQ(must(read_json<EntryEnded>(message.data)).reason, "left");
    EXPECT_NE(house.status(no_show.who).status, 200);
}

TEST_F(Recovery, who_left_is_not_taken_back_by_what_another_life_of_the_store_told) {
    house.lever("threshold", R"({"threshold":1})");
    Fan inside = queued(1);
    house.pass(2);
    let_in(inside);
    house.leave(inside.who);
    for (const Message& message : house.told()) {
        if (message.type != EntryAdmitted::type) continue;
        const auto admitted = must(read_json<EntryAdmitted>(message.data));
        Message returned = message;
        returned.type = EntryReturned::type;
        returned.data =
            to_json(EntryReturned{admitted.generation, house.event, inside.who, admitted.entry});
        EXPECT_FALSE(heard_anew(returned));
    }
    EXPECT_EQ(house.status(inside.who).code(), "NOT_IN_QUEUE");
}

TEST_F(Recovery, an_entry_that_was_taken_back_undoes_no_purchase_with_the_next_one) {
    house.lever("threshold", R"({"threshold":1})");
    Fan buyer = queued(1);
    house.pass(60); // the first entry goes back
    EXPECT_EQ(house.status(buyer.who).text("status"), "queued");
    house.pass(2);
    let_in(buyer);
    house.log_waits = true;
    house.lose_store();
    house.bought(buyer.who);
    house.log_waits = false;
    house.pass(3);
    EXPECT_EQ(house.status(buyer.who).code(), "QUEUE_RECOVERING");
    EXPECT_EQ(shows_entry(buyer).code(), "QUEUE_RECOVERING");
    EXPECT_TRUE(house.is_revoked(buyer.entry));
    std::size_t bought = 0;
    for (const Message& message : house.told())
        if (message.type == EntryEnded::type) ++bought;
    EXPECT_EQ(bought, 1u);
}

TEST_F(Recovery, who_came_again_and_was_let_in_again_has_that_slot_in_a_lost_store_too) {
    house.lever("threshold", R"({"threshold":1})");
    Fan fan = queued(1);
    house.pass(2);
    let_in(fan);
    const std::string first_entry = fan.entry;
    house.leave(fan.who);
    house.room.rooms[house.event].next = 3;
    EXPECT_EQ(house.enter(fan.who, house.room_token(2)).status, 200);
    house.pass(2);
    let_in(fan);
    house.lose_store();
    house.pass(2);
    EXPECT_EQ(shows_entry(fan).text("entryToken"), fan.entry);
    EXPECT_NE(fan.entry, first_entry);
    // Its end counts for the second slot alone.
    EXPECT_EQ(house.leave(fan.who).status, 204);
    house.pass(1); // until it is told
    house.lose_store();
    house.pass(2);
    EXPECT_EQ(shows_entry(fan).code(), "QUEUE_RECOVERING");
}

// Who was inside, came again and waits: the log tells of the first time alone.
TEST_F(Recovery, who_came_again_keeps_the_second_place_in_a_lost_store) {
    house.lever("threshold", R"({"threshold":2})");
    Fan first = queued(1), second = queued(2);
    house.pass(2);
    for (Fan* fan : {&first, &second}) {
        let_in(*fan);
        house.leave(fan->who);
    }
    close_door();
    house.room.rooms[house.event].next = 13;
    first.place = house.enter(first.who, house.room_token(11)).text("place");
    second.place = house.enter(second.who, house.room_token(12)).text("place");
    Fan third = queued(20);
    house.pass(1);
    house.lose_store();
    close_door();
    house.pass(3); // the log is read
    for (Fan* fan : {&third, &second, &first}) EXPECT_EQ(shows_place(*fan).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(first.who).number("position"), 1);
    EXPECT_EQ(house.status(second.who).number("position"), 2);
    EXPECT_EQ(house.status(third.who).number("position"), 3);
}

TEST_F(Recovery, a_second_place_that_was_left_is_worth_nothing_in_a_lost_store) {
    house.lever("threshold", R"({"threshold":1})");
    Fan fan = queued(1);
    house.pass(2);
    let_in(fan);
    house.leave(fan.who);
    close_door();
    house.room.rooms[house.event].next = 12;
    fan.place = house.enter(fan.who, house.room_token(11)).text("place");
    const Fan next = queued(20);
    house.room.rooms[house.event].serving = 20; // nobody behind is in this line
    EXPECT_EQ(house.leave(fan.who).status, 204);
    house.pass(1);
    house.lose_store();
    close_door();
    house.pass(3);
    shows_place(fan);
    EXPECT_EQ(shows_place(next).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(next.who).number("position"), 1);
}

TEST_F(Recovery, forged_and_foreign_tokens_restore_nothing) {
    close_door();
    const Fan fan = queued(1);
    house.pass(1);
    house.lose_store();
    Fan thief = fan;
    thief.who = house.fan();
    EXPECT_EQ(shows_place(thief).code(), "QUEUE_RECOVERING");
    Fan forger = fan;
    forger.place[forger.place.size() - 5] ^= 1;
    EXPECT_EQ(shows_place(forger).code(), "QUEUE_RECOVERING");
    // An entry where a place is wanted, and the other way round.
    Fan mixed = fan;
    mixed.entry = fan.place;
    EXPECT_EQ(shows_entry(mixed).code(), "QUEUE_RECOVERING");
    EXPECT_EQ(shows_place(fan).status, 200);
}

TEST_F(Recovery, a_room_that_is_away_holds_back_what_cannot_be_known) {
    close_door();
    const Fan fan = queued(1);
    house.pass(1);
    house.room.away = true;
    house.lose_store();
    EXPECT_EQ(shows_place(fan).code(), "QUEUE_RECOVERING");
    house.pass(3);
    house.room.away = false;
    house.pass(1);
    EXPECT_EQ(shows_place(fan).status, 200);
}

TEST_F(Recovery, a_room_that_hangs_holds_up_no_line) {
    const EventId second = EventId::make(house.clock.now(), house.random);
    house.events.all[second] = house.events.all[house.event];
    house.events.all[second].room = false;
    house.pass(2);
    house.room.hangs = true;
    const AccountId who = house.fan();
    const std::string path = "/api/v1/queue/" + second.text();
    ASSERT_EQ(house.ask({who, Method::post, path + "/entry", "", {}}).status, 200);
    house.pass(4);
    EXPECT_TRUE(house.ask({who, Method::get, path + "/status", "", {}}).active());
    house.room.hangs = false;
    house.pass(3);
    EXPECT_EQ(house.room.reports[second].text_of("state"), "off");
}

TEST_F(Recovery, a_room_in_a_later_epoch_is_followed) {
    const std::uint64_t later = house.epoch() + 5'000'000;
    house.room.rooms[house.event] = {later, 0, 10, 0, 0, 0};
    house.room.refused = 1;
    house.pass(2);
    EXPECT_EQ(std::uint64_t(house.room.reports[house.event].integer_of("epoch")), later);
    EXPECT_EQ(house.enter(house.fan(), house.room_token(3)).status, 200);
}

TEST_F(Recovery, reports_count_on_when_the_clock_was_set_back_an_hour) {
    house.pass(5);
    house.lever("rate", R"({"perSecond":9})"); // the store knows the time
    house.crash();
    house.clock.set(house.clock.now() - hours(1));
    house.start();
    const std::uint64_t before = house.service->metrics().failed_reports.value();
    house.pass(5);
    EXPECT_EQ(house.service->metrics().failed_reports.value(), before);
    EXPECT_EQ(house.room.reports[house.event].integer_of("rate"), 9 * 60);
}

TEST_F(Recovery, each_report_tells_what_was_last_seen_of_the_room) {
    house.room.rooms[house.event].next = 501;
    house.room.rooms[house.event].serving = 300;
    house.room.rooms[house.event].phase = 2;
    house.pass(2);
    house.crash();
    house.start();
    house.pass(1);
    const JsonValue* seen = house.room.reports[house.event].find("seen");
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen->integer_of("phase"), 2);
    EXPECT_EQ(seen->integer_of("nextPosition"), 501);
    EXPECT_EQ(seen->integer_of("serving"), 300);
}

} // namespace
} // namespace urr::queue
