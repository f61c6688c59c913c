#include "libs/contract/caller.hpp"

#include <gtest/gtest.h>

#include "libs/core/must.hpp"

namespace urr {
namespace {

struct Caller : testing::Test {
    SeededRandom random{3};
    Instant now{1'800'000'000'000'000};
    CallerKey gateway{"gateway", HmacKey("gateway-to-ticket")};
    CallerKeys keys;
    Request request;
    Principal principal;

    Caller() {
        keys.emplace("gateway", HmacKey("gateway-to-ticket"));
        request.method = Method::post;
        request.path = "/api/v1/reservations";
        principal.account = AccountId::make(now, random);
        principal.role = Role::user;
        principal.verified = true;
        principal.entry_event = EventId::make(now, random);
        principal.entry_token = make_id_bytes(now, random);
    }
    Code refused(const Request& asked, std::string_view service, Instant at) {
        const auto believed = believed_caller(keys, service, asked, at);
        return believed ? Code::CONFLICT : believed.error().code();
    }
};

TEST_F(Caller, is_believed_with_its_assertion) {
    const CallerHeaders headers(gateway, "ticket", principal, request, now);
    ASSERT_TRUE(headers.attach(request));
    const Principal believed = must(believed_caller(keys, "ticket", request, now + seconds(30)));
    EXPECT_EQ(believed.account, principal.account);
    EXPECT_EQ(believed.role, Role::user);
    EXPECT_TRUE(believed.verified);
    EXPECT_EQ(believed.entry_event, principal.entry_event);
    EXPECT_EQ(believed.entry_token, principal.entry_token);
}

TEST_F(Caller, is_refused_without_a_fitting_assertion) {
    Request bare = request;
    bare.add_header("X-User-Id", "someone");
    EXPECT_EQ(refused(bare, "ticket", now), Code::ASSERTION_INVALID);

    const CallerHeaders headers(gateway, "ticket", principal, request, now);
    Request asked = request;
    ASSERT_TRUE(headers.attach(asked));
    EXPECT_EQ(refused(asked, "payment", now), Code::ASSERTION_INVALID);
    EXPECT_EQ(refused(asked, "ticket", now + seconds(61)), Code::ASSERTION_INVALID);
    EXPECT_EQ(refused(asked, "ticket", now - seconds(61)), Code::ASSERTION_INVALID);
    Request other_path = asked;
    other_path.path = "/api/v1/admin/events";
    EXPECT_EQ(refused(other_path, "ticket", now), Code::ASSERTION_INVALID);
    Request raised = asked;
    raised.remove_headers("X-User-Role");
    raised.add_header("X-User-Role", "admin");
    EXPECT_EQ(refused(raised, "ticket", now), Code::ASSERTION_INVALID);
    const CallerKey stolen{"gateway", HmacKey("another key")};
    Request forged = request;
    const CallerHeaders stolen_headers(stolen, "ticket", principal, request, now);
    ASSERT_TRUE(stolen_headers.attach(forged));
    EXPECT_EQ(refused(forged, "ticket", now), Code::ASSERTION_INVALID);
}

} // namespace
} // namespace urr
