#include "libs/contract/revoked_ids.hpp"

#include <gtest/gtest.h>

namespace urr {
namespace {

// A few of them.
struct Few : RevokedIds {
    Few() : RevokedIds({"few", "few"}, 2) {}
    void revoke(unsigned char id, Instant until) { RevokedIds::revoke({{}, {id}}, until); }
    bool is_revoked(unsigned char id) const { return RevokedIds::is_revoked({{}, {id}}); }
};

TEST(RevokedIds, are_bounded_and_what_is_too_many_is_counted_and_told_all_the_same) {
    Few few;
    int told = 0;
    few.listen([&](const RevokedIds::Key&, Instant) { ++told; });
    for (unsigned char id = 1; id <= 3; ++id) few.revoke(id, Instant{id});
    few.revoke(1, Instant{9}); // it is known: nothing more
    EXPECT_TRUE(few.is_revoked(1));
    EXPECT_TRUE(few.is_revoked(2));
    EXPECT_FALSE(few.is_revoked(3));
    EXPECT_EQ(few.not_kept().value(), 1u);
    EXPECT_EQ(told, 4);
    few.prune(Instant{2});
    few.revoke(3, Instant{9});
    EXPECT_TRUE(few.is_revoked(1)); // until the later of its ends
    EXPECT_FALSE(few.is_revoked(2));
    EXPECT_TRUE(few.is_revoked(3));
}

} // namespace
} // namespace urr
