// A fan's way through the line: places, entries, ends, streams.
#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

struct Fans : testing::Test {
    House house{11};
    Fans() { house.pass(2); } // the room has been announced

    AccountId queued(std::uint64_t position) {
        const AccountId who = house.fan();
        const Answer answer = house.enter(who, house.room_token(position));
        EXPECT_EQ(answer.status, 200) << answer.body_text;
        return who;
    }
    // Lets in nobody, so that a line stands.
    void close_door() { EXPECT_EQ(house.lever("threshold", R"({"threshold":0})").status, 200); }
    void open_door(int threshold = 1'000) {
        house.lever("threshold", "{\"threshold\":" + std::to_string(threshold) + "}");
    }
    std::string in(const AccountId& who) {
        const Answer answer = house.status(who);
        EXPECT_TRUE(answer.active()) << answer.body_text;
        return answer.text("entryToken");
    }
};

TEST_F(Fans, stand_by_their_position_and_are_let_in_in_that_order) {
    close_door();
    const auto c = queued(30), a = queued(10), b = queued(20);
    house.pass(1);
    EXPECT_EQ(house.status(a).number("ahead"), 0);
    EXPECT_EQ(house.status(c).number("ahead"), 2);
    EXPECT_EQ(house.status(b).number("behind"), 1);
    open_door(2);
    house.pass(2);
    EXPECT_TRUE(house.status(a).active());
    EXPECT_TRUE(house.status(b).active());
    EXPECT_EQ(house.status(c).text("status"), "queued");
}

TEST_F(Fans, see_the_same_place_in_a_second_tab) {
    close_door();
    const auto first = queued(1), who = queued(2);
    house.pass(1);
    const Answer again = house.enter(who, house.room_token(1'000));
    EXPECT_EQ(again.number("position"), 2);
    EXPECT_NE(house.status(first).status, 404);
}

TEST_F(Fans, need_a_token_of_this_room_with_a_position) {
    EXPECT_EQ(house.enter(house.fan()).code(), "VWR_TOKEN_REQUIRED");
    EXPECT_EQ(house.enter(house.fan(), "nonsense").code(), "VWR_TOKEN_INVALID");
    EXPECT_EQ(house.enter(house.fan(), house.room_token(0)).code(), "VWR_TOKEN_INVALID");
    Claims claims;
    claims.type = TokenType::vwr;
    claims.event = EventId::make(house.clock.now(), house.random);
    claims.epoch = house.epoch();
    claims.position = 1;
    claims.issued = house.clock.now();
    claims.expires = house.clock.now() + minutes(1);
    EXPECT_EQ(house.enter(house.fan(), sign_token(house.room_key, claims)).code(),
              "VWR_TOKEN_INVALID");
    claims.event = house.event;
    EXPECT_EQ(house.enter(house.fan(), sign_token(house.room_key, claims)).status, 200);
    claims.epoch = house.epoch() - 1;
    EXPECT_EQ(house.enter(house.fan(), sign_token(house.room_key, claims)).code(), "ROOM_CHANGED");
}

TEST_F(Fans, take_no_position_from_a_parameter_or_a_body) {
    close_door();
    queued(1);
    const auto who = house.fan();
    const Answer answer =
        house.ask({who,
                   Method::post,
                   house.path("/entry?position=1"),
                   R"({"position":1,"phase":0})",
                   {{"X-Urr-Vwr-Token", house.room_token(50)}, {"X-Position", "1"}}});
    EXPECT_EQ(answer.status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(who).number("position"), 2);
}

TEST_F(Fans, cannot_share_one_receipt_between_two_accounts) {
    const std::string token = house.room_token(7);
    EXPECT_EQ(house.enter(house.fan(), token).status, 200);
    EXPECT_EQ(house.enter(house.fan(), token).code(), "VWR_TOKEN_SPENT");
    house.crash();
    house.start();
    EXPECT_EQ(house.enter(house.fan(), token).code(), "VWR_TOKEN_SPENT");
}

TEST_F(Fans, who_left_join_at_the_end_whatever_they_show) {
    const std::string token = house.room_token(1);
    const auto who = house.fan();
    const Answer queued_answer = house.enter(who, token);
    const std::string place = queued_answer.text("place");
    house.pass(2);
    const std::string entry = in(who);
    close_door();
    const auto other = queued(5), third = queued(6);
    EXPECT_EQ(house.leave(who).status, 204);
    EXPECT_TRUE(house.is_revoked(entry));
    EXPECT_EQ(house.status(who).code(), "NOT_IN_QUEUE");
    EXPECT_EQ(house.leave(who).code(), "NOT_IN_QUEUE");
    // The spent receipt, the spent place, the entry that was left, or a fresh early number.
    EXPECT_EQ(house.enter(who, token, {{"X-Urr-Place", place}, {"X-Queue-Entry-Token", entry}})
                  .text("status"),
              "queued");
    house.pass(1);
    EXPECT_EQ(house.status(who).number("position"), 3);
    house.leave(who);
    EXPECT_EQ(house.enter(who, house.room_token(2)).status, 200);
    house.pass(1);
    EXPECT_EQ(house.status(who).number("position"), 3);
    EXPECT_EQ(house.status(other).number("position"), 1);
    EXPECT_EQ(house.status(third).number("position"), 2);
}

TEST_F(Fans, an_entry_lasts_ten_minutes_and_no_longer) {
    const auto who = queued(1);
    house.pass(2);
    const std::string entry = in(who);
    for (int i = 0; i < 19; ++i) {
        house.pass(30);
        house.status(who); // an open tab does not extend it
    }
    EXPECT_EQ(house.status(who).text("entryToken"), entry);
    house.pass(32);
    EXPECT_EQ(house.status(who).code(), "NOT_IN_QUEUE");
    EXPECT_EQ(house.service->metrics().expired.value(), 1u);
}

TEST_F(Fans, a_slot_ends_with_its_time_and_not_with_the_next_tick) {
    const auto asks = queued(1), enters = queued(2);
    house.pass(2);
    in(asks);
    in(enters);
    close_door();
    queued(5);
    house.clock.advance(minutes(10)); // no tick has run since
    EXPECT_EQ(house.status(asks).code(), "NOT_IN_QUEUE");
    const Answer anew = house.enter(enters, house.room_token(3));
    EXPECT_EQ(anew.text("status"), "queued") << anew.body_text;
    EXPECT_EQ(anew.number("ahead"), 1); // at the end, though 3 is before 5
    EXPECT_EQ(house.service->metrics().expired.value(), 2u);
    house.pass(2); // the tick finds nothing more to end
    EXPECT_EQ(house.status(enters).text("status"), "queued");
    EXPECT_EQ(house.service->metrics().expired.value(), 2u);
}

TEST_F(Fans, a_tick_does_not_end_the_place_that_follows_an_ended_slot) {
    std::vector<AccountId> all;
    for (std::uint64_t i = 1; i <= 20; ++i) all.push_back(queued(i));
    house.pass(2);
    for (const AccountId& who : all) in(who);
    close_door();
    house.clock.advance(minutes(10));
    {
        Loop::Enter in(&house.loop); // it has chosen whom to end, and ends them one by one
        house.nursery->spawn(house.service->tick(Context{}));
    }
    for (auto who = all.rbegin(); who != all.rend(); ++who)
        EXPECT_EQ(house.enter(*who, house.room_token(100)).text("status"), "queued");
    house.pass(2);
    for (const AccountId& who : all) EXPECT_EQ(house.status(who).text("status"), "queued");
    EXPECT_EQ(house.service->metrics().expired.value(), 20u);
}

TEST_F(Fans, an_entry_that_is_not_fetched_is_revoked_and_the_place_kept) {
    close_door();
    const auto sleeper = queued(1), other = queued(2);
    open_door(1);
    house.pass(2); // the sleeper is let in
    EXPECT_EQ(house.status(other).text("status"), "queued");
    for (int i = 0; i < 5; ++i) {
        house.pass(10);
        house.status(other);
    }
    EXPECT_TRUE(house.status(other).active());
    EXPECT_EQ(house.status(sleeper).number("position"), 1); // back, and first
    house.leave(other);
    house.pass(1);
    EXPECT_TRUE(house.status(sleeper).active());
    // Fetched now: it is not taken back, though nobody asks again, also over a restart.
    house.pass(30);
    house.crash();
    house.start();
    house.pass(60);
    EXPECT_TRUE(house.status(sleeper).active());
}

TEST_F(Fans, the_silent_are_passed_over_and_come_first_on_return) {
    close_door();
    const auto sleeper = queued(1), other = queued(2);
    for (int i = 0; i < 5; ++i) {
        house.pass(10);
        house.status(other);
    }
    open_door(1);
    house.pass(1);
    EXPECT_TRUE(house.status(other).active());
    EXPECT_EQ(house.status(sleeper).number("position"), 1);
    house.leave(other);
    house.pass(1);
    EXPECT_TRUE(house.status(sleeper).active());
}

TEST_F(Fans, a_purchase_ends_the_slot_and_the_next_comes_in) {
    open_door(1);
    const auto buyer = queued(1), next = queued(2);
    house.pass(2);
    const std::string entry = in(buyer);
    house.bought(buyer);
    EXPECT_TRUE(house.is_revoked(entry));
    EXPECT_EQ(house.status(buyer).code(), "NOT_IN_QUEUE");
    house.pass(1);
    in(next);
    EXPECT_EQ(house.service->metrics().bought.value(), 1u);
    // Late news of an earlier purchase does not end a later slot.
    Message message;
    message.id = MessageId::make(house.clock.now(), house.random);
    message.topic = topic_payment;
    message.type = ReservationConfirmed::type;
    message.occurred = house.clock.now() - minutes(1);
    ReservationConfirmed told;
    told.event = house.event;
    told.account = next;
    message.data = to_json(told);
    house.run([](House& at, Message said) -> Task<> {
        must(co_await at.service->consume(Context{}, said));
    }(house, message));
    in(next);
}

TEST_F(Fans, an_entry_that_ended_stays_revoked_over_a_restart) {
    const auto who = queued(1);
    house.pass(2);
    const std::string entry = in(who);
    house.leave(who);
    house.crash();
    house.start();
    EXPECT_TRUE(house.is_revoked(entry));
}

TEST_F(Fans, are_told_their_odds_and_the_end_at_once) {
    close_door();
    house.events.all[house.event].free = 3;
    std::vector<AccountId> line;
    for (std::uint64_t i = 1; i <= 5; ++i) line.push_back(queued(i));
    house.pass(1);
    EXPECT_EQ(house.status(line[1]).body.find("odds"), nullptr);
    const Answer fifth = house.status(line[4]);
    ASSERT_NE(fifth.body.find("odds"), nullptr) << fifth.body_text;
    EXPECT_NEAR(fifth.body.find("odds")->real, 0.6, 0.01);
    house.events.all[house.event].free = 0;
    EXPECT_TRUE(house.status(line[4]).body.boolean_of("soldOut"));
    EXPECT_EQ(house.enter(house.fan(), house.room_token(9)).code(), "SOLD_OUT");
    house.pass(1);
    EXPECT_TRUE(house.room.reports[house.event].boolean_of("soldOut"));
}

TEST_F(Fans, who_wait_when_the_sale_ends_are_told_and_those_inside_may_finish) {
    open_door(1);
    const auto inside = queued(1), waiting = queued(2);
    house.pass(2);
    ASSERT_TRUE(house.status(inside).active());
    ASSERT_FALSE(house.status(waiting).active());
    house.events.all[house.event].on_sale = false;
    house.events.all[house.event].over = true;
    house.pass(1);
    EXPECT_TRUE(house.status(waiting).body.boolean_of("soldOut"));
    EXPECT_TRUE(house.status(inside).active());
    EXPECT_FALSE(house.status(inside).body.boolean_of("soldOut"));
    const JsonValue& report = house.room.reports[house.event];
    EXPECT_TRUE(report.boolean_of("soldOut"));
    EXPECT_EQ(report.text_of("state"), "paused");
    EXPECT_EQ(house.enter(house.fan(), house.room_token(9)).code(), "SALE_NOT_OPEN");
}

TEST_F(Fans, a_sale_that_is_to_come_gathers_them) {
    house.events.all[house.event].on_sale = false;
    house.pass(1);
    const JsonValue& report = house.room.reports[house.event];
    EXPECT_EQ(report.text_of("state"), "prequeue");
    EXPECT_FALSE(report.boolean_of("soldOut"));
}

TEST_F(Fans, wait_by_what_was_seen_and_nobody_can_say_while_paused) {
    open_door(1);
    std::vector<AccountId> line;
    for (std::uint64_t i = 1; i <= 4; ++i) line.push_back(queued(i));
    house.pass(2);
    const std::int64_t wait = house.status(line[3]).number("waitSeconds");
    EXPECT_GT(wait, 1);
    EXPECT_LE(wait, 3 * 600 + 1); // a slot ends within ten minutes
    house.lever("pause", "");
    const Answer paused = house.status(line[3]);
    EXPECT_EQ(paused.body.find("waitSeconds")->kind, JsonValue::Kind::null);
    house.lever("resume", "");
    EXPECT_EQ(house.status(line[3]).body.find("waitSeconds")->kind, JsonValue::Kind::integer);
}

TEST_F(Fans, an_event_without_a_room_is_first_come_first_served) {
    house.events.all[house.event].room = false;
    close_door();
    const auto a = house.fan(), b = house.fan();
    EXPECT_EQ(house.enter(a).status, 200);
    EXPECT_EQ(house.enter(b).status, 200);
    house.pass(1);
    EXPECT_EQ(house.room.reports[house.event].text_of("state"), "off");
    EXPECT_EQ(house.status(b).number("ahead"), 1);
}

TEST_F(Fans, only_their_own_line_is_theirs) {
    EXPECT_EQ(house.status(house.fan()).code(), "NOT_IN_QUEUE");
    EXPECT_EQ(house.ask({house.fan(), Method::get, "/api/v1/queue/x/status", "", {}}).status, 404);
    House::Ask anonymous{AccountId{}, Method::post, house.path("/entry"), "", {}};
    anonymous.role = Role::anonymous;
    EXPECT_EQ(house.ask(anonymous).status, 401);
    house.events.all[house.event].on_sale = false;
    EXPECT_EQ(house.enter(house.fan(), house.room_token(1)).code(), "SALE_NOT_OPEN");
}

TEST_F(Fans, hear_the_room_and_their_own_turn_by_stream) {
    close_door();
    const auto who = queued(1), other = queued(2);
    house.pass(1);
    EXPECT_EQ(house.stream(house.fan()).code(), "NOT_IN_QUEUE");
    Answer mine = house.stream(who), his = house.stream(other);
    ASSERT_TRUE(mine.stream && his.stream) << mine.body_text;
    std::string first = house.frames_of(*mine.stream);
    EXPECT_EQ(first.substr(0, 7), "retry: ");
    EXPECT_NE(first.find("event: room\nid: "), std::string::npos) << first;
    const std::string pair = "[" + std::to_string(house.epoch()) + ",0,1,0]";
    EXPECT_NE(first.find(pair), std::string::npos) << first;
    house.frames_of(*his.stream);
    const std::uint64_t before = house.service->metrics().frames.value();
    house.pass(1);
    EXPECT_EQ(house.service->metrics().frames.value(), before + 1); // rendered once
    EXPECT_EQ(house.frames_of(*mine.stream), house.frames_of(*his.stream));
    open_door(1);
    house.pass(1);
    EXPECT_NE(house.frames_of(*mine.stream).find("event: admitted"), std::string::npos);
    EXPECT_EQ(house.frames_of(*his.stream).find("event: admitted"), std::string::npos);
    house.status(who);
    house.leave(who);
    EXPECT_NE(house.frames_of(*mine.stream).find("event: ended\ndata: {\"reason\":\"left\"}"),
              std::string::npos);
    EXPECT_EQ(house.frames_of(*mine.stream), "(end)");
}

TEST_F(Fans, a_stream_is_a_sign_of_life) {
    close_door();
    const auto listener = queued(1), silent = queued(2), third = queued(3);
    Answer stream = house.stream(listener);
    for (int i = 0; i < 5; ++i) {
        house.pass(10);
        house.frames_of(*stream.stream);
        house.status(third);
    }
    open_door(2);
    house.pass(1);
    EXPECT_TRUE(house.status(listener).active());
    EXPECT_FALSE(house.status(silent).active());
    EXPECT_TRUE(house.status(third).active());
}

TEST_F(Fans, a_stream_that_knows_the_latest_frame_does_not_get_it_again) {
    close_door();
    const auto who = queued(1);
    Answer first = house.stream(who);
    const std::string got = house.frames_of(*first.stream);
    const std::size_t at = got.find("id: ") + 4;
    const std::string id = got.substr(at, got.find('\n', at) - at);
    Answer again = house.stream(who, id);
    EXPECT_EQ(house.frames_of(*again.stream).find("event: room"), std::string::npos);
    Answer older = house.stream(who, "0");
    EXPECT_NE(house.frames_of(*older.stream).find("event: room"), std::string::npos);
}

TEST_F(Fans, streams_have_a_bound_and_an_account_has_four) {
    house.crash();
    house.streams_max = 5;
    house.start();
    close_door();
    const auto who = queued(1), other = queued(2), third = queued(3);
    std::vector<Answer> open;
    for (int i = 0; i < 5; ++i) open.push_back(house.stream(who));
    house.frames_of(*open[0].stream);
    EXPECT_EQ(house.frames_of(*open[0].stream), "(end)"); // the oldest of five
    open.erase(open.begin());
    open.push_back(house.stream(other));
    EXPECT_EQ(open.back().status, 200);
    const Answer refused = house.stream(third);
    EXPECT_EQ(refused.code(), "STREAMS_FULL");
    EXPECT_NE(refused.headers.find("Retry-After"), std::string::npos);
    open.clear();
    EXPECT_EQ(house.stream(third).status, 200);
}

TEST_F(Fans, a_stream_that_does_not_read_is_ended) {
    close_door();
    const auto who = queued(1);
    Answer stream = house.stream(who);
    house.pass(int(Audience::backlog_max) + 2);
    const std::string got = house.frames_of(*stream.stream);
    EXPECT_EQ(got.substr(got.size() - 5), "(end)");
}

} // namespace
} // namespace urr::queue
