#include <gtest/gtest.h>

#include "libs/core/must.hpp"
#include "services/worker/domain/batch.hpp"
#include "services/worker/domain/chain.hpp"

namespace urr::worker {
namespace {

const EventId event{{7}};
const EvidenceGeneration generation{{8}};

std::string header(std::int64_t records, std::int64_t version = 1) {
    return to_json(EvidenceHeader{version, event, "ticket", generation, 17, records});
}
std::string line(unsigned char id, std::string_view more = "") {
    return R"({"id":")" + MessageId{{id}}.text() +
           R"(","kind":"held","at":"2026-11-25T04:00:00.000Z")" + std::string(more) + "}";
}
std::string refusal(const std::string& message) {
    const auto batch = read_batch(message);
    return batch ? "read" : std::string(batch.error().text());
}

TEST(Batch, has_each_line_as_it_came_with_what_this_version_does_not_know) {
    const std::string newer = line(2, R"(,"gate": [1, {"x":null}])");
    const Batch batch = must(read_batch(header(2) + "\n" + line(1) + "\n" + newer));
    EXPECT_EQ(batch.event, event);
    EXPECT_EQ(batch.source, "ticket");
    EXPECT_EQ(batch.first, 17);
    ASSERT_EQ(batch.records.size(), 2u);
    EXPECT_EQ(batch.records[1].id, (MessageId{{2}}));
    EXPECT_EQ(batch.records[1].line, newer);
}

TEST(Batch, says_why_it_cannot_be_read) {
    EXPECT_EQ(refusal(""), "the header cannot be read");
    EXPECT_EQ(refusal(header(1, 2) + "\n" + line(1)), "its version is 2");
    EXPECT_EQ(refusal(header(2) + "\n" + line(1) + "\n{}"), "record 2 cannot be read");
    EXPECT_EQ(refusal(header(2) + "\n" + line(1)), "it says 2 records and has 1");
    EXPECT_EQ(refusal(header(1) + "\n" + line(1) + "\n"), "read");
}

// A line is kept as it came, also where this version does not know what it says.
TEST(Batch, with_a_text_that_not_every_store_can_keep_cannot_be_read) {
    std::string named = header(1);
    named.replace(named.find("\"ticket\""), 8, R"("tic\u0000ket")");
    EXPECT_EQ(refusal(named + "\n" + line(1)), "the header cannot be read");
    for (const std::string_view bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80"})
        EXPECT_EQ(refusal(header(1) + "\n" + line(1, R"(,"gate":")" + std::string(bytes) + "\"")),
                  "record 1 cannot be read");
    EXPECT_EQ(refusal(header(1) + "\n" + line(1, std::string(R"(,"gate":"a)") + '\0' + "b\"")),
              "record 1 cannot be read");
}

// The form is a promise: who has an export recomputes it by other means. By hand:
//   printf 'urr-evidence-1 07000000-…' | sha256sum, then that hash and the entry, hashed.
TEST(Chain, the_hash_is_what_other_programs_make_of_the_same_bytes) {
    const Digest first = first_hash(event);
    EXPECT_EQ(hex(first), "975fdcdcb7e08071b7e02309a01f496dd019ccb6b4be989e80ef62caeeac1fc8");
    EXPECT_EQ(hex(next_hash(first, {1, "ticket", generation, 17, "{}"})),
              "e91cffa69686c451469aef0cb8e3bba464a65edbe8802c6f4441dc497dce0ba3");
}

TEST(Chain, every_part_of_a_link_is_in_its_hash) {
    const Link link{1, "ticket", generation, 17, "{}"};
    const Digest before = first_hash(event), hash = next_hash(before, link);
    std::vector<Link> others(5, link);
    others[0].position = 2;
    others[1].source = "queue";
    others[2].generation = {{9}};
    others[3].number = 18;
    others[4].record = "{ }";
    for (const Link& other : others) EXPECT_NE(next_hash(before, other), hash);
    EXPECT_NE(next_hash(first_hash(EventId{{6}}), link), hash);
}

} // namespace
} // namespace urr::worker
