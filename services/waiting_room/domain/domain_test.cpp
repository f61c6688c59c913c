#include <gtest/gtest.h>

#include "libs/core/random.hpp"
#include "libs/security/mac.hpp"
#include "services/waiting_room/domain/hints.hpp"
#include "services/waiting_room/domain/receipt.hpp"
#include "services/waiting_room/domain/room.hpp"

namespace urr::waiting_room {
namespace {

SipKey secret(unsigned char fill) {
    SipKey key;
    key.fill(fill);
    return key;
}

Receipt some_receipt() {
    Receipt receipt{12'345, 1'764'000'000'000'000, 2, 1'764'000'123, 77, {}};
    receipt.id.fill(9);
    return receipt;
}

const EventId event_a{{1, 2, 3}};
const EventId event_b{{1, 2, 4}};
const ReceiptKeys keys{{7, secret(1)}, ReceiptKeys::Key{6, secret(2)}};

std::string text_of(const ReceiptKeys& with, const EventId& event, const Receipt& receipt) {
    const ReceiptText text = write_receipt(with, event, receipt);
    return std::string(text.data(), text.size());
}

// The vectors of the reference implementation (vectors_sip128): key 00..0f, message 00, 01, ...
TEST(SipHash, gives_the_tags_of_the_reference_implementation) {
    SipKey key;
    for (unsigned char i = 0; i < 16; ++i) key[i] = i;
    std::array<unsigned char, 63> message;
    for (unsigned char i = 0; i < 63; ++i) message[i] = i;
    const std::pair<std::size_t, const char*> vectors[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {2, "8177228da4a45dc7fca38bdef60affe4"},  {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
        {8, "3b62a9ba6258f5610f83e264f31497b4"},  {9, "264499060ad9baabc47f8b02bb6d71ed"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"},
        {31, "2939b0183223fafc1723de4f52c43d35"}, {60, "e3040c00eb28f15366ca73cbd872e740"},
        {63, "5150d1772f50834a503e069a973fbd7c"},
    };
    for (const auto& [size, wanted] : vectors)
        EXPECT_EQ(hex(SipHash::tag(key, {message.data(), size})), wanted) << size;
}

TEST(Receipt, comes_back_as_it_was_written) {
    const std::string text = text_of(keys, event_a, some_receipt());
    EXPECT_EQ(read_receipt(keys, event_a, text), some_receipt());
}

TEST(Receipt, is_worth_nothing_for_another_event) {
    EXPECT_FALSE(read_receipt(keys, event_b, text_of(keys, event_a, some_receipt())));
}

TEST(Receipt, is_refused_when_any_character_is_changed) {
    const std::string good = text_of(keys, event_a, some_receipt());
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : std::string_view("AZaz09-_=+/ ")) {
            std::string bad = good;
            if (bad[i] == c) continue;
            bad[i] = c;
            EXPECT_FALSE(read_receipt(keys, event_a, bad)) << i << c;
        }
    }
}

TEST(Receipt, has_one_length_only) {
    const std::string good = text_of(keys, event_a, some_receipt());
    EXPECT_FALSE(read_receipt(keys, event_a, ""));
    EXPECT_FALSE(read_receipt(keys, event_a, good.substr(1)));
    EXPECT_FALSE(read_receipt(keys, event_a, good + "A"));
}

TEST(Receipt, of_yesterdays_key_is_accepted_and_of_an_older_one_is_not) {
    const ReceiptKeys yesterday{{6, secret(2)}, {}};
    const ReceiptKeys older{{5, secret(3)}, {}};
    const ReceiptKeys foreign{{7, secret(4)}, {}};
    EXPECT_TRUE(read_receipt(keys, event_a, text_of(yesterday, event_a, some_receipt())));
    EXPECT_FALSE(read_receipt(keys, event_a, text_of(older, event_a, some_receipt())));
    EXPECT_FALSE(read_receipt(keys, event_a, text_of(foreign, event_a, some_receipt())));
}

TEST(Line, serves_in_order_and_no_further_than_given) {
    Line line;
    EXPECT_EQ(line.lease(100), 1u);
    EXPECT_EQ(line.advance(10, 4), 4u);
    EXPECT_EQ(line.serving(), 4u);
    EXPECT_EQ(ahead_of(5, 0, line.serving(), line.voids_served()), 1u);
}

TEST(Line, skips_voids) {
    Line line;
    line.lease(100);
    line.close(1, 100, 2);
    EXPECT_EQ(line.lease(100), 101u);
    const std::uint64_t voids = line.voids();
    EXPECT_EQ(voids, 98u);
    EXPECT_EQ(ahead_of(101, voids, line.serving(), line.voids_served()), 3u);
    EXPECT_EQ(line.advance(2, 105), 2u);
    EXPECT_EQ(line.serving(), 100u);
    EXPECT_EQ(ahead_of(101, voids, line.serving(), line.voids_served()), 1u);
    EXPECT_EQ(line.advance(1, 105), 1u);
    EXPECT_EQ(line.serving(), 101u);
}

// The reference model keeps every position as one letter: g given, v void, ? leased.
struct Model {
    std::vector<char> positions;
    std::uint64_t serving = 0;

    void skip() {
        while (serving < positions.size() && positions[serving] == 'v') ++serving;
    }
    std::uint64_t advance(std::uint64_t people) {
        std::uint64_t served = 0;
        for (; served < people && serving < positions.size() && positions[serving] == 'g';
             ++served) {
            ++serving;
            skip();
        }
        return served;
    }
    std::uint64_t ahead(std::uint64_t position) const {
        std::uint64_t people = 0;
        for (std::uint64_t i = serving; i < position; ++i) people += positions[i] != 'v';
        return people;
    }
};

TEST(Line, agrees_with_a_model_that_keeps_every_position) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE(seed);
        SeededRandom random(seed);
        Line line;
        Model model;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> people; // position, voids before
        for (int second = 0; second < 60; ++second) {
            const std::uint64_t count = 1 + random.below(20);
            const std::uint64_t voids = line.voids();
            const std::uint64_t first = line.lease(count);
            ASSERT_EQ(first, model.positions.size() + 1);
            model.positions.resize(model.positions.size() + count, '?');
            std::uint64_t used = 0;
            for (int turn = 0; turn < 3; ++turn) {
                for (std::uint64_t more = random.below(count - used + 1); more; --more, ++used) {
                    model.positions[first - 1 + used] = 'g';
                    people.push_back({first + used, voids});
                }
                const std::uint64_t budget = random.below(12);
                ASSERT_EQ(line.advance(budget, first + used - 1), model.advance(budget));
                ASSERT_EQ(line.serving(), model.serving);
            }
            line.close(first, count, used);
            for (std::uint64_t i = used; i < count; ++i) model.positions[first - 1 + i] = 'v';
            model.skip();
            ASSERT_EQ(line.serving(), model.serving);
            for (const auto& [position, before] : people)
                ASSERT_EQ(ahead_of(position, before, line.serving(), line.voids_served()),
                          model.ahead(position));
        }
    }
}

TEST(LeaseSize, follows_the_arrivals) {
    LeaseSize size;
    EXPECT_EQ(size.next(), lease_count_min);
    size.ended(32, 32, 2'000);
    EXPECT_EQ(size.next(), 64u);
    size.ended(64, 64, 2'000);
    EXPECT_EQ(size.next(), 128u);
    size.ended(128, 100, 1'000'000);
    EXPECT_EQ(size.next(), 150u);
    size.ended(150, 0, 1'000'000);
    EXPECT_EQ(size.next(), lease_count_min);
    size.ended(lease_count_max, lease_count_max, 10);
    EXPECT_EQ(size.next(), lease_count_max);
}

TEST(Advancer, serves_five_hundred_in_each_minute_by_default) {
    Advancer advancer({.grace_seconds = 1'000});
    for (int minute = 0; minute < 3; ++minute) {
        std::uint64_t people = 0;
        for (int second = 0; second < 60; ++second) people += advancer.people(500);
        EXPECT_EQ(people, 500u);
    }
}

TEST(Advancer, makes_up_for_those_who_do_not_come) {
    Advancer advancer({.grace_seconds = 2, .make_up_factor = 2});
    std::uint64_t serving = 0;
    const auto step = [&] {
        const std::uint64_t people = advancer.people(600);
        advancer.served(serving, serving + people, people);
        serving += people;
        return people;
    };
    EXPECT_EQ(step(), 10u);
    for (std::uint64_t position = 1; position <= 7; ++position) advancer.came(position);
    advancer.came(7); // again: counts once
    EXPECT_EQ(step(), 10u);
    for (std::uint64_t position = 11; position <= 20; ++position) advancer.came(position);
    EXPECT_EQ(step(), 10u); // the grace of the first three ends here
    EXPECT_EQ(advancer.no_shows(), 3u);
    EXPECT_EQ(step(), 13u);
    EXPECT_EQ(step(), 10u);
    EXPECT_EQ(step(), 20u); // ten of the third second, at most twice the rate
}

TEST(Advancer, adds_nothing_to_an_adaptive_rate) {
    Advancer advancer({.adaptive = true, .grace_seconds = 1});
    for (int second = 0; second < 5; ++second) {
        EXPECT_EQ(advancer.people(600), 10u);
        advancer.served(10, 20, 10);
    }
}

TEST(Rate, is_the_lower_of_report_and_base_unless_adaptive) {
    EXPECT_EQ(rate_in_force({}, std::nullopt), 500u);
    EXPECT_EQ(rate_in_force({}, 60'000), 500u);
    EXPECT_EQ(rate_in_force({}, 0), 0u);
    EXPECT_EQ(rate_in_force({.adaptive = true}, 60'000), 60'000u);
    EXPECT_EQ(rate_in_force({.adaptive = true}, std::nullopt), 500u);
}

TEST(Hints, ask_the_distant_to_come_back_later) {
    const WaitSeconds unknown;
    EXPECT_EQ(poll_after_seconds(500, unknown, 0), 2u);
    EXPECT_EQ(poll_after_seconds(501, unknown, 0), 5u);
    EXPECT_EQ(poll_after_seconds(2'001, unknown, 0), 10u);
    EXPECT_EQ(poll_after_seconds(10'001, unknown, 0), 15u);
    for (std::uint64_t spread = 0; spread < 100; ++spread)
        EXPECT_LT(poll_after_seconds(10'001, unknown, spread), 20u);
}

TEST(Hints, never_ask_to_come_back_after_ones_turn) {
    EXPECT_EQ(poll_after_seconds(9'000, wait_seconds(9'000, 180'000), 0), 4u);
    EXPECT_EQ(wait_seconds(1'000, 500).low, 96u);
    EXPECT_EQ(wait_seconds(1'000, 500).high, 151u);
    EXPECT_FALSE(wait_seconds(1'000, 0).known);
}

Report report(std::uint64_t epoch, std::uint64_t sequence, RoomState state) {
    Report made;
    made.epoch = epoch;
    made.sequence = sequence;
    made.state = state;
    return made;
}

TEST(Room, obeys_only_newer_reports) {
    Room room(event_a, {});
    const Instant now{0};
    EXPECT_EQ(room.steer(report(5, 2, RoomState::open), now), Steered::reset);
    EXPECT_EQ(room.steer(report(5, 2, RoomState::paused), now), Steered::repeated);
    EXPECT_EQ(room.steer(report(5, 1, RoomState::paused), now), Steered::stale);
    EXPECT_EQ(room.steer(report(4, 9, RoomState::paused), now), Steered::stale);
    EXPECT_EQ(room.state(), RoomState::open);
    EXPECT_EQ(room.steer(report(5, 3, RoomState::open), now), Steered::kept);
    EXPECT_EQ(room.steer(report(5, 4, RoomState::paused), now), Steered::changed);
}

TEST(Room, starts_anew_with_a_higher_epoch) {
    Room room(event_a, {});
    room.steer(report(5, 1, RoomState::open), {0});
    room.lease({0});
    const Report reset = report(6, 1, RoomState::open);
    ASSERT_TRUE(room.ends_lease(reset));
    room.close_lease(10, {0});
    EXPECT_EQ(room.steer(reset, {0}), Steered::reset);
    EXPECT_EQ(room.line().next(), 1u);
    EXPECT_EQ(room.line().serving(), 0u);
}

TEST(Room, gives_no_lease_across_a_phase) {
    Room room(event_a, {});
    room.steer(report(5, 1, RoomState::prequeue), {0});
    room.lease({0});
    Report next = report(5, 2, RoomState::open);
    EXPECT_FALSE(room.ends_lease(next));
    next.phase = 1;
    EXPECT_TRUE(room.ends_lease(next));
    room.close_lease(3, {0});
    room.steer(next, {0});
    EXPECT_EQ(room.lease({0})->phase, 1);
    Report back = report(5, 3, RoomState::open);
    back.phase = 0;
    EXPECT_FALSE(room.ends_lease(back));
    room.steer(back, {0});
    EXPECT_EQ(room.record().phase, 1);
}

TEST(Room, that_lost_its_store_ends_its_lease_before_it_goes_on_behind_what_was_seen) {
    Room room(event_a, {});
    room.steer(report(5, 1, RoomState::open), {0});
    room.lease({0});
    Report seen = report(5, 2, RoomState::open);
    seen.seen = SeenRoom{0, 33, 0, 0}; // exactly what is leased
    EXPECT_FALSE(room.ends_lease(seen));
    seen.seen->next = 34;
    ASSERT_TRUE(room.ends_lease(seen));
    room.close_lease(2, {0});
    room.steer(seen, {0});
    EXPECT_EQ(room.record().phase, 1);
    EXPECT_EQ(room.record().phase_first, 34u);
    EXPECT_EQ(room.lease({0})->first, 34u);
}

TEST(Room, serves_only_while_open) {
    for (const RoomState state :
         {RoomState::off, RoomState::prequeue, RoomState::paused, RoomState::sold_out}) {
        Room room(event_a, {});
        room.steer(report(5, 1, RoomState::open), {0});
        room.lease({0});
        if (room.ends_lease(report(5, 2, state))) room.close_lease(32, {0});
        room.steer(report(5, 2, state), {0});
        EXPECT_FALSE(room.step({0}, 32)) << room_state_name(state);
        if (!gives_places(state)) EXPECT_EQ(room.lease({0}), nullptr);
    }
}

TEST(Room, is_sold_out_whatever_state_the_report_names) {
    Room room(event_a, {});
    Report made = report(5, 1, RoomState::open);
    made.sold_out = true;
    room.steer(made, {0});
    EXPECT_EQ(room.state(), RoomState::sold_out);
}

TEST(Room, falls_back_to_the_base_rate_when_reports_stay_away) {
    Room room(event_a, {.adaptive = true});
    Report made = report(5, 1, RoomState::open);
    made.rate_per_minute = 90'000;
    room.steer(made, {0});
    EXPECT_EQ(room.rate({0}), 90'000u);
    EXPECT_EQ(room.rate(Instant{0} + seconds(6)), 500u);
}

TEST(Room, gives_no_position_twice_after_a_crash_and_keeps_unknown_places_in_line) {
    Room room(event_a, {});
    room.steer(report(5, 1, RoomState::open), {0});
    const std::uint64_t count = room.lease({0})->count;
    const RoomRecord durable = room.record(); // then the process dies, five positions given
    Room again(durable, {});
    const LeaseBlock* lease = again.lease({0});
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->first, count + 1);
    EXPECT_EQ(lease->voids_before, 0u); // unknown is not void
}

} // namespace
} // namespace urr::waiting_room
