#include "services/queue/domain/line.hpp"

#include <gtest/gtest.h>

#include "services/queue/domain/pace.hpp"

namespace urr::queue {
namespace {

struct Lines : testing::Test {
    SeededRandom random{4};
    Instant now{1'000'000'000};
    Rules rules;
    Line line;

    AccountId fan() { return AccountId::make(now, random); }
    AccountId join(std::uint64_t position) {
        const AccountId account = fan();
        line.join(account, {1, 0, position, line.next_arrival(now)}, {}, now);
        return account;
    }
    void admit(const std::vector<AccountId>& chosen) {
        for (const AccountId& account : chosen)
            line.admit({account, line.find(account)->place.arrival, make_id_bytes(now, random), now,
                        now + rules.active});
    }
    void rank() { line.rank(rules, now); }
};

TEST_F(Lines, order_is_tier_one_position_whoever_logs_in_first) {
    const auto late = join(30), first = join(10), second = join(20);
    EXPECT_EQ(line.next(rules, now, 10), (std::vector<AccountId>{first, second, late}));
    rank();
    EXPECT_EQ(line.find(late)->rank, 2u);
}

TEST_F(Lines, an_earlier_phase_and_an_earlier_epoch_come_first) {
    const auto put = [&](Place place) {
        const AccountId account = fan();
        place.arrival = line.next_arrival(now);
        line.join(account, place, {}, now);
        return account;
    };
    const auto d = put({2, 0, 1, 0}), c = put({1, 1, 1, 0}), b = put({1, 0, 9, 0}),
               a = put({1, 0, 2, 0});
    EXPECT_EQ(line.next(rules, now, 10), (std::vector<AccountId>{a, b, c, d}));
}

TEST_F(Lines, an_epoch_that_is_over_takes_its_people_out_and_nobody_else) {
    const auto inside = join(1), waiting = join(2), later = fan(), later_inside = fan();
    line.join(later_inside, {2, 0, 1, line.next_arrival(now)}, {}, now);
    line.join(later, {2, 0, 2, line.next_arrival(now)}, {}, now);
    admit({inside, later_inside});
    line.end_before(2);
    EXPECT_EQ(line.find(inside), nullptr);
    EXPECT_EQ(line.find(waiting), nullptr);
    EXPECT_EQ(line.active(), 1);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{later});
    EXPECT_NE(line.find(later_inside), nullptr);
}

TEST_F(Lines, one_account_has_one_place) {
    const auto account = join(5);
    line.join(account, {1, 0, 1, line.next_arrival(now)}, {}, now);
    EXPECT_EQ(line.waiting(), 1);
    EXPECT_EQ(line.find(account)->place.position, 5u);
}

TEST_F(Lines, the_silent_are_passed_over_and_come_first_on_return) {
    const auto sleeper = join(1);
    now = now + seconds(46);
    const auto other = join(2), third = join(3);
    rank();
    EXPECT_EQ(line.awake(), 2);
    EXPECT_EQ(line.waiting(), 3);
    rules.threshold = 1;
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{other});
    admit({other});
    EXPECT_TRUE(line.next(rules, now, 10).empty()); // full
    line.saw(sleeper, now);
    line.end(other);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{sleeper});
    EXPECT_NE(line.find(third), nullptr);
}

TEST_F(Lines, never_more_are_in_than_the_threshold_and_their_time_ends) {
    rules.threshold = 7;
    for (std::uint64_t i = 1; i <= 30; ++i) join(i);
    for (int tick = 0; tick < 3; ++tick) admit(line.next(rules, now, 5));
    EXPECT_EQ(line.active(), 7);
    EXPECT_EQ(line.waiting(), 23);
    for (const AccountId& account : line.unfetched(rules, now + rules.fetch))
        line.find(account)->fetched = true;
    EXPECT_TRUE(line.overdue(now).empty());
    now = now + rules.active;
    const auto over = line.overdue(now);
    EXPECT_EQ(over.size(), 7u);
    for (const AccountId& account : over) line.end(account);
    EXPECT_EQ(line.active(), 0);
}

// Found by the simulator: after an outage longer than a slot people stood at the end of the line.
TEST_F(Lines, a_slot_that_passed_before_its_entry_was_fetched_costs_no_place) {
    const auto kept_out = join(1);
    admit({kept_out});
    now = now + rules.active + hours(1);
    EXPECT_TRUE(line.overdue(now).empty());
    ASSERT_EQ(line.unfetched(rules, now), std::vector<AccountId>{kept_out});
    line.take_back(kept_out, line.find(kept_out)->entry);
    line.saw(kept_out, now);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{kept_out});
}

TEST_F(Lines, who_does_not_fetch_the_entry_stands_at_his_place_again) {
    const auto no_show = join(1), other = join(2);
    rules.threshold = 1;
    admit({no_show});
    now = now + rules.fetch - seconds(1);
    EXPECT_TRUE(line.unfetched(rules, now).empty());
    now = now + seconds(1);
    ASSERT_EQ(line.unfetched(rules, now), std::vector<AccountId>{no_show});
    line.take_back(no_show, line.find(no_show)->entry);
    EXPECT_EQ(line.active(), 0);
    now = now + seconds(1);
    line.saw(other, now);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{other}); // he is silent still
    line.saw(no_show, now);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{no_show});
}

TEST_F(Lines, an_admission_meant_for_an_earlier_place_of_the_account_does_nothing) {
    const auto account = join(1);
    const Admission meant{account, line.find(account)->place.arrival, make_id_bytes(now, random),
                          now, now + rules.active};
    line.end(account);
    line.join(account, line.end_of_line(now), {}, now);
    line.admit(meant);
    EXPECT_EQ(line.active(), 0);
}

TEST_F(Lines, the_end_of_the_line_is_behind_whoever_stands_or_stood_there) {
    for (std::uint64_t i = 1; i <= 5; ++i) join(i * 10);
    const auto again = fan();
    line.join(again, line.end_of_line(now), {}, now);
    const auto later = join(60); // who takes a number afterwards comes behind
    const auto order = line.next(rules, now, 10);
    EXPECT_EQ(order[5], again);
    EXPECT_EQ(order[6], later);
}

TEST_F(Lines, arrivals_rise_and_are_not_below_the_time) {
    const std::uint64_t first = line.next_arrival(now);
    EXPECT_GE(first, std::uint64_t(now.us));
    EXPECT_GT(line.next_arrival(now - seconds(5)), first);
}

TEST_F(Lines, a_client_finds_its_place_between_two_landmarks) {
    for (std::uint64_t i = 0; i < 1'000; ++i) join(1 + random.below(100'000));
    rank();
    const auto marks = line.landmarks(64);
    ASSERT_EQ(marks.size(), 64u);
    EXPECT_EQ(marks.front().ahead, 0u);
    EXPECT_EQ(marks.back().ahead, 999u);
    for (const AccountId& account : line.next(rules, now, 1'000)) {
        const Member& member = *line.find(account);
        std::size_t above = 1;
        while (above + 1 < marks.size() && marks[above].place < member.place) ++above;
        EXPECT_LE(marks[above - 1].ahead, member.rank);
        EXPECT_GE(marks[above].ahead, member.rank);
        EXPECT_LE(marks[above].ahead - marks[above - 1].ahead, 16u);
    }
}

TEST_F(Lines, landmarks_of_a_short_line_are_all_of_it) {
    EXPECT_TRUE(line.landmarks(64).empty());
    join(7);
    ASSERT_EQ(line.landmarks(64).size(), 1u);
    join(9);
    join(8);
    const auto marks = line.landmarks(64);
    ASSERT_EQ(marks.size(), 3u);
    EXPECT_EQ(marks[1].place.position, 8u);
    EXPECT_EQ(marks[2].ahead, 2u);
}

TEST_F(Lines, a_restored_line_has_the_same_order) {
    std::vector<std::pair<AccountId, Member>> kept;
    for (std::uint64_t i = 0; i < 50; ++i) {
        const auto account = join(1 + random.below(20)); // ties are broken by arrival
        kept.emplace_back(account, *line.find(account));
    }
    const auto before = line.next(rules, now, 100);
    const std::uint64_t last = line.next_arrival(now);
    Line again;
    for (std::size_t i = kept.size(); i-- > 0;) again.restore(kept[i].first, kept[i].second);
    EXPECT_EQ(again.next(rules, now, 100), before);
    EXPECT_GE(again.next_arrival(now), last);
}

// The line against a model that keeps a plain list and sorts it at every question.
struct ModelMember {
    AccountId account;
    Place place;
    Instant seen;
    bool active = false, fetched = false;
    Instant admitted, until;
};

struct Model {
    std::vector<ModelMember> members;

    ModelMember* find(const AccountId& account) {
        for (ModelMember& m : members)
            if (m.account == account) return &m;
        return nullptr;
    }
    std::vector<AccountId> next(const Rules& rules, Instant now, std::int64_t most) {
        std::sort(members.begin(), members.end(),
                  [](const auto& a, const auto& b) { return a.place < b.place; });
        std::int64_t active = 0;
        for (const ModelMember& m : members) active += m.active ? 1 : 0;
        std::vector<AccountId> chosen;
        for (const ModelMember& m : members)
            if (!m.active &&
                std::int64_t(chosen.size()) < std::min(rules.threshold - active, most) &&
                now - m.seen <= rules.silence)
                chosen.push_back(m.account);
        return chosen;
    }
};

// One random step in both.
void step(Lines& t, Model& model, std::vector<AccountId>& known) {
    const auto some = [&] { return known[t.random.below(known.size())]; };
    switch (t.random.below(8)) {
    case 0:
    case 1: { // joins, by a number or at the end
        const AccountId account = t.random.chance(700) ? t.fan() : some();
        const Place place = t.random.chance(800)
                                ? Place{1, std::uint32_t(t.random.below(2)), 1 + t.random.below(50),
                                        t.line.next_arrival(t.now)}
                                : t.line.end_of_line(t.now);
        t.line.join(account, place, {}, t.now);
        if (ModelMember* m = model.find(account))
            m->seen = t.now;
        else
            model.members.push_back({account, place, t.now, false, false, {}, {}});
        known.push_back(account);
        break;
    }
    case 2: { // shows a sign of life
        const AccountId account = some();
        t.line.saw(account, t.now);
        if (ModelMember* m = model.find(account)) m->seen = t.now;
        break;
    }
    case 3: { // leaves
        const AccountId account = some();
        t.line.end(account);
        std::erase_if(model.members, [&](const auto& m) { return m.account == account; });
        break;
    }
    case 4: { // a tick lets people in
        for (const AccountId& account : t.line.next(t.rules, t.now, 3)) {
            t.admit({account});
            ModelMember* m = model.find(account);
            m->active = true;
            m->admitted = t.now;
            m->until = t.now + t.rules.active;
            m->fetched = t.random.chance(500);
            t.line.find(account)->fetched = m->fetched;
        }
        break;
    }
    case 5: { // entries that were not fetched come back
        for (const AccountId& account : t.line.unfetched(t.rules, t.now)) {
            t.line.take_back(account, t.line.find(account)->entry);
            model.find(account)->active = false;
        }
        for (const ModelMember& m : model.members)
            EXPECT_FALSE(m.active && !m.fetched &&
                         (m.until <= t.now || m.admitted + t.rules.fetch <= t.now));
        break;
    }
    case 6: { // slots run out
        for (const AccountId& account : t.line.overdue(t.now)) t.line.end(account);
        std::erase_if(model.members,
                      [&](const auto& m) { return m.active && m.fetched && m.until <= t.now; });
        break;
    }
    default: // a crash: what the store has comes back, in any order
        Line restored;
        for (const AccountId& account : known)
            if (const Member* member = t.line.find(account)) restored.restore(account, *member);
        t.line = std::move(restored);
    }
    t.now = t.now + seconds(std::int64_t(t.random.below(20)));
}

TEST_F(Lines, agree_with_a_model_that_sorts_a_list) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random = SeededRandom(seed);
        line = Line();
        rules.threshold = std::int64_t(1 + random.below(6));
        Model model;
        std::vector<AccountId> known{fan()};
        for (int i = 0; i < 400; ++i) {
            step(*this, model, known);
            ASSERT_EQ(line.next(rules, now, 100), model.next(rules, now, 100));
            std::int64_t active = 0;
            for (const ModelMember& m : model.members) active += m.active ? 1 : 0;
            ASSERT_EQ(line.active(), active);
            ASSERT_EQ(line.waiting() + active, std::int64_t(model.members.size()));
            ASSERT_LE(active, rules.threshold);
        }
    }
}

TEST(Paces, tell_what_was_seen) {
    Pace pace;
    EXPECT_EQ(pace.wait_seconds(10, 0, 0, minutes(10)), std::nullopt); // nobody can say
    EXPECT_EQ(pace.wait_seconds(10, 20, 0, minutes(10)), 1);           // there is room
    for (int i = 0; i < 300; ++i) pace.observe(5, seconds(1));
    EXPECT_NEAR(pace.per_second(), 5, 0.01);
    EXPECT_EQ(pace.wait_seconds(99, 0, 1'000, minutes(10)), 100 / 5 + 1);
    for (int i = 0; i < 300; ++i) pace.observe(0, seconds(1));
    // Nobody was let in for long, but a thousand slots end within ten minutes.
    EXPECT_EQ(pace.wait_seconds(99, 0, 1'000, minutes(10)), 60 + 1);
}

TEST(Hints, ask_the_distant_to_come_back_later_and_not_all_at_once) {
    EXPECT_EQ(poll_after_seconds(500, 0), 2);
    EXPECT_EQ(poll_after_seconds(501, 0), 5);
    EXPECT_EQ(poll_after_seconds(2'001, 0), 10);
    EXPECT_EQ(poll_after_seconds(10'001, 0), 15);
    EXPECT_NE(poll_after_seconds(10'001, 1), poll_after_seconds(10'001, 2));
}

} // namespace
} // namespace urr::queue
