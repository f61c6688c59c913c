#include "libs/core/json.hpp"

#include <gtest/gtest.h>

#include "libs/core/must.hpp"
#include "libs/core/trace.hpp"

namespace urr {
namespace {

enum class Colour : std::uint8_t { red, blue };
constexpr std::array<EnumName<Colour>, 2> enum_names(Colour) {
    return {{{Colour::red, "red"}, {Colour::blue, "blue"}}};
}

struct Inner {
    std::string name;
    bool operator==(const Inner&) const = default;
};
template <class Archive>
void describe(Archive& a, Inner& v) {
    a.field("name", v.name, Limits{.min = 1, .max = 5});
}

struct Outer {
    EventId event;
    std::vector<std::int32_t> seats;
    std::optional<Colour> colour;
    Inner inner;
    Instant at;
    Won price;
    bool yes = false;
    bool operator==(const Outer&) const = default;
};
template <class Archive>
void describe(Archive& a, Outer& v) {
    a.field("event", v.event);
    a.field("seats", v.seats, Limits{.min = 1, .max = 3});
    a.field("colour", v.colour);
    a.field("inner", v.inner);
    a.field("at", v.at);
    a.field("price", v.price, Limits{.min = 0});
    a.field("yes", v.yes);
}

struct Open {
    static constexpr bool open = true;
    std::int64_t n = 0;
};
template <class Archive>
void describe(Archive& a, Open& v) {
    a.field("n", v.n);
}

struct Whole {
    std::int64_t count = 0;
};
template <class Archive>
void describe(Archive& a, Whole& v) {
    a.field("count", v.count);
}

struct Short {
    std::string text;
};
template <class Archive>
void describe(Archive& a, Short& v) {
    a.field("text", v.text, Limits{.min = 1, .max = 4});
}

TEST(Json, what_is_written_is_read_again) {
    SeededRandom random(7);
    for (int i = 0; i < 200; ++i) {
        Outer v;
        v.event = EventId::make(Instant{1'700'000'000'000'000}, random);
        for (std::uint64_t k = 0; k <= random.below(3); ++k)
            v.seats.push_back(std::int32_t(random.next()));
        if (random.chance(500)) v.colour = Colour(random.below(2));
        for (std::uint64_t k = 0; k <= random.below(5); ++k)
            v.inner.name += "a\"\\/z"[random.below(5)];
        v.at = Instant{std::int64_t(random.below(1'000'000'000)) * 1000};
        v.price = Won{std::int64_t(random.below(1'000'000))};
        v.yes = random.chance(500);
        EXPECT_EQ(must(read_json<Outer>(to_json(v))), v) << to_json(v);
    }
}

TEST(Json, every_fault_is_told_with_its_field) {
    const auto read = read_json<Outer>(
        R"({"event":"x","seats":[1,2.5,"3"],"colour":"green","inner":{"name":"toolong","z":1},)"
        R"("at":"yesterday","price":-1,"extra":null})");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), Code::VALIDATION_FAILED);
    std::string fields;
    for (const FieldError& fault : read.error().fields()) fields += fault.field + " ";
    EXPECT_EQ(fields, "event seats/1 seats/2 colour inner/name inner/z at price yes extra ");
}

TEST(Json, malformed_text_is_refused) {
    std::string deep = "{\"n\":";
    for (int i = 0; i < 40; ++i) deep += "[";
    for (const std::string& text :
         {std::string(""), std::string("{"), std::string(R"({"n":1}x)"),
          std::string(R"({"n":NaN})"), std::string(R"({"n":1,"n":2})"), std::string(R"({"n":01})"),
          std::string(R"({'n':1})"), std::string(R"({"n":"\ud800"})"),
          std::string("{\"n\":\"\xff\"}"), std::string("{\"n\":\"a\nb\"}"),
          std::string(R"({"n":1,})"), deep, std::string(R"({"n":Infinity})"),
          std::string("{\"n\":1/*c*/}")}) {
        const auto read = read_json<Open>(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code(), Code::BAD_REQUEST) << text;
    }
}

TEST(Json, numbers_must_be_whole_and_fit) {
    for (const char* text : {R"({"n":1.5})", R"({"n":9223372036854775808})", R"({"n":"1"})",
                             R"({"n":null})", R"({"n":true})"})
        EXPECT_EQ(read_json<Open>(text).error().code(), Code::VALIDATION_FAILED) << text;
    EXPECT_EQ(must(read_json<Open>(R"({"n":-9223372036854775808})")).n, INT64_MIN);
}

TEST(Json, an_open_type_passes_over_what_it_does_not_know) {
    EXPECT_EQ(must(read_json<Open>(R"({"a":[{}],"n":3,"b":"x"})")).n, 3);
}

TEST(Instants, read_and_written_as_rfc3339) {
    EXPECT_EQ(to_rfc3339(*parse_rfc3339("2026-11-24T20:00:00.123456+09:00")),
              "2026-11-24T11:00:00.123Z");
    for (const char* text :
         {"2026-02-29T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24 00:00:00Z",
          "2026-11-24T00:00:00", "2026-11-24T00:00:60Z", "x", "", "2026-11-24T00:00:00.1234567Z"})
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
}

TEST(Ids, are_ordered_by_time_and_strict) {
    SeededRandom random(1);
    const auto first = EventId::make(Instant{1'000'000}, random);
    const auto second = EventId::make(Instant{2'000'000}, random);
    EXPECT_LT(first, second);
    for (std::int64_t us = 0; us < 1'000; ++us) // also within a millisecond
        EXPECT_LT(EventId::make({us}, random), EventId::make({us + 1}, random));
    EXPECT_EQ(EventId::parse(first.text()), first);
    EXPECT_EQ(first.text()[14], '7');
    EXPECT_FALSE(EventId::parse(first.text().substr(1)));
    EXPECT_FALSE(EventId::parse("0193_4567-89ab-7def-8123-456789abcdef"));
}

TEST(Errors, carry_code_text_and_fields) {
    Error error = Error(Code::SEAT_TAKEN, "A-1").retry_after(3);
    const Error copy = error.clone();
    EXPECT_EQ(copy.text(), "A-1");
    EXPECT_EQ(copy.retry_after_s(), 3);
    EXPECT_EQ(info(copy.code()).status, 409);
    EXPECT_EQ(find_code("SEAT_TAKEN")->code, Code::SEAT_TAKEN);
    EXPECT_EQ(find_code("NO_SUCH"), nullptr);
}

TEST(Errors, say_their_cause_to_who_asks_for_it) {
    const Error marked = Error(Code::UNAVAILABLE).because(Cause::lock_kept).retry_after(1);
    EXPECT_EQ(marked.code(), Code::UNAVAILABLE);
    EXPECT_EQ(marked.clone().cause(), Cause::lock_kept);
    EXPECT_EQ(Error(Code::UNAVAILABLE).cause(), Cause::unsaid);
    EXPECT_EQ(Error(Code::UNAVAILABLE, std::string(marked.text())).cause(), Cause::unsaid);
}

TEST(Traces, are_read_strictly) {
    const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    EXPECT_EQ(parse_traceparent(good)->traceparent(), good);
    for (const char* text : {"", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        EXPECT_FALSE(parse_traceparent(text)) << text;
}

TEST(Json, a_whole_number_may_be_written_as_a_real) {
    EXPECT_EQ(must(read_json<Whole>(R"({"count":3.0})")).count, 3);
    EXPECT_EQ(must(read_json<Whole>(R"({"count":1e2})")).count, 100);
    EXPECT_EQ(must(read_json<Whole>(R"({"count":1810476518486679.0})")).count, 1810476518486679);
    EXPECT_EQ(must(read_json<Whole>(R"({"count":-12.50e1})")).count, -125);
    EXPECT_FALSE(read_json<Whole>(R"({"count":3.5})"));
    EXPECT_FALSE(read_json<Whole>(R"({"count":1e300})"));
    EXPECT_FALSE(read_json<Whole>(R"({"count":9007199254740994.0})")); // a real is not exact there
}

TEST(Json, an_unknown_name_is_told_in_whole_characters) {
    const std::string name = std::string(63, 'a') + "예매";
    const auto read = read_json<Short>("{\"text\":\"a\",\"" + name + "\":1}");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fields().front().field, std::string(63, 'a'));
}

TEST(Json, the_length_of_a_text_counts_characters) {
    EXPECT_TRUE(read_json<Short>(R"({"text":"예매대기"})"));
    EXPECT_FALSE(read_json<Short>(R"({"text":"예매대기표"})"));
    EXPECT_TRUE(read_json<Short>(R"({"text":"\ud83c\udf9f\ud83c\udf9fab"})"));
}

} // namespace
} // namespace urr
