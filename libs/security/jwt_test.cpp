#include "libs/security/jwt.hpp"

#include <gtest/gtest.h>

#include "libs/core/must.hpp"
#include "libs/security/base64url.hpp"
#include "libs/security/mac.hpp"

namespace urr {
namespace {

struct Tokens : testing::Test {
    SeededRandom random{11};
    Instant now{1'800'000'000'000'000};
    SigningKey key, other;
    PublicKeys keys;
    Claims claims;

    SigningKey make(TokenType type, const char* kid) {
        std::array<unsigned char, 32> seed;
        random.fill(seed);
        return SigningKey::from_seed(type, kid, seed);
    }
    Tokens() : key(make(TokenType::access, "a1")), other(make(TokenType::access, "a1")) {
        keys.add(key);
        claims.subject = AccountId::make(now, random);
        claims.id = make_id_bytes(now, random);
        claims.issued = now;
        claims.expires = now + minutes(30);
        claims.email = "fan@example.com";
        claims.email_verified = true;
        claims.role = Role::user;
    }
    bool refused(const std::string& token, TokenType type = TokenType::access) {
        const auto verified = verify_token(keys, token, type, now);
        return !verified && verified.error().code() == Code::TOKEN_INVALID;
    }
    std::string with_header(std::string_view header) {
        const std::string token = sign_token(key, claims);
        return base64url(header) + token.substr(token.find('.'));
    }
};

TEST_F(Tokens, carry_their_claims) {
    const Claims read = must(verify_token(keys, sign_token(key, claims), TokenType::access, now));
    EXPECT_EQ(read.subject, claims.subject);
    EXPECT_EQ(read.id, claims.id);
    EXPECT_EQ(read.email, claims.email);
    EXPECT_TRUE(read.email_verified);
    EXPECT_EQ(read.role, Role::user);
    EXPECT_EQ(read.expires, claims.expires);
    EXPECT_EQ(sign_token(key, claims), sign_token(key, claims)); // any pod mints the same
}

TEST_F(Tokens, forged_foreign_expired_and_misused_ones_are_refused) {
    const std::string good = sign_token(key, claims);
    EXPECT_TRUE(refused(sign_token(other, claims)));
    EXPECT_TRUE(refused(with_header(R"({"alg":"none","typ":"access","kid":"a1"})")));
    EXPECT_TRUE(refused(with_header(R"({"alg":"HS256","typ":"access","kid":"a1"})")));
    EXPECT_TRUE(refused(with_header(R"({"alg":"EdDSA","alg":"EdDSA","typ":"access","kid":"a1"})")));
    EXPECT_TRUE(refused(with_header(R"({"alg":"EdDSA","typ":"access","kid":"zz"})")));
    EXPECT_TRUE(refused(good, TokenType::entry));
    EXPECT_TRUE(refused(good.substr(0, good.size() - 2)));
    EXPECT_TRUE(refused(good + "="));
    EXPECT_TRUE(refused(good.substr(0, good.rfind('.') + 1)));
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused(".."));
    EXPECT_TRUE(refused(std::string(5000, 'a')));
    claims.expires = now;
    EXPECT_TRUE(refused(sign_token(key, claims)));
}

TEST_F(Tokens, another_purpose_does_not_pass_even_with_its_own_key) {
    SigningKey entry = make(TokenType::entry, "a1");
    keys.add(entry);
    claims.type = TokenType::entry;
    const std::string token = sign_token(entry, claims);
    EXPECT_TRUE(refused(token, TokenType::access));
    EXPECT_TRUE(verify_token(keys, token, TokenType::entry, now));
}

TEST_F(Tokens, every_changed_bit_is_seen) {
    const std::string good = sign_token(key, claims);
    for (std::size_t i = 0; i < good.size(); i += 3) {
        std::string changed = good;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        if (changed != good) EXPECT_TRUE(refused(changed)) << i;
    }
}

TEST(Base64url, has_one_text_for_one_sequence) {
    std::array<unsigned char, 1> one;
    EXPECT_EQ(base64url(std::string_view("\xff")), "_w");
    EXPECT_TRUE(read_base64url("_w", one));
    EXPECT_FALSE(read_base64url("_x", one)); // bits left over
    EXPECT_FALSE(read_base64url("_w==", one));
    EXPECT_FALSE(read_base64url("/w", one));
}

TEST(Codes, follow_their_published_vectors) {
    // RFC 4231, test case 2; FIPS 180-4 "abc".
    EXPECT_EQ(hex(HmacKey("Jefe").code("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_FALSE(HmacKey("Jefe").matches("other", HmacKey("Jefe").code("message")));
}

} // namespace
} // namespace urr
