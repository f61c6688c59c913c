#include "libs/security/jwt.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

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
        claims.session = SessionId::make(now, random);
    }
    bool refused(const std::string& token, TokenType type = TokenType::access) {
        const auto verified = verify_token(keys, token, type, now);
        return !verified && verified.error().code() == Code::TOKEN_INVALID;
    }
    // A token of ours with another body.
    std::string sign_text(std::string_view body) {
        const std::string token = sign_token(key, claims);
        std::string text = token.substr(0, token.find('.') + 1) + base64url(body);
        std::array<unsigned char, 64> signature;
        crypto_sign_ed25519_detached(signature.data(), nullptr,
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size(), key.secret.data());
        return text + "." + base64url(signature);
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
    EXPECT_EQ(read.session, claims.session);
    EXPECT_EQ(sign_token(key, claims), sign_token(key, claims)); // any pod mints the same
}

TEST_F(Tokens, may_name_no_session_but_none_that_is_no_id) {
    const std::string named = R"(,"sid":")" + claims.session.text() + "\"";
    claims.session = {};
    const std::string token = sign_token(key, claims);
    EXPECT_TRUE(must(verify_token(keys, token, TokenType::access, now)).session.is_zero());
    const std::size_t first = token.find('.'), last = token.rfind('.');
    std::string body = *read_base64url(token.substr(first + 1, last - first - 1));
    body.pop_back();
    EXPECT_FALSE(refused(sign_text(body + named + "}")));
    EXPECT_TRUE(refused(sign_text(body + R"(,"sid":"mine"})")));
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

TEST_F(Tokens, another_audience_is_refused_though_the_signature_fits) {
    // A signer of ours that made a token for somebody else with the same key and type.
    const std::string token = sign_token(key, claims);
    const std::size_t first = token.find('.'), last = token.rfind('.');
    std::string body = *read_base64url(token.substr(first + 1, last - first - 1));
    const std::string right = R"("aud":"urr")", wrong = R"("aud":"urr-seats")";
    ASSERT_NE(body.find(right), std::string::npos);
    EXPECT_FALSE(refused(sign_text(body)));
    body.replace(body.find(right), right.size(), wrong);
    EXPECT_TRUE(refused(sign_text(body)));
}

TEST_F(Tokens, of_a_replaced_key_count_until_its_end) {
    const SigningKey next = make(TokenType::access, "a2");
    PublicKeys both;
    both.add(next);
    both.add({TokenType::access, key.kid, key.public_key(), now + hours(24)});
    claims.expires = now + hours(48);
    const std::string old = sign_token(key, claims), fresh = sign_token(next, claims);
    EXPECT_TRUE(verify_token(both, old, TokenType::access, now + hours(23)));
    EXPECT_TRUE(verify_token(both, fresh, TokenType::access, now + hours(23)));
    EXPECT_FALSE(verify_token(both, old, TokenType::access, now + hours(24)));
    EXPECT_TRUE(verify_token(both, fresh, TokenType::access, now + hours(24)));
    EXPECT_NE(both.jwks(TokenType::access, now).find("\"a1\""), std::string::npos);
    EXPECT_EQ(both.jwks(TokenType::access, now + hours(24)).find("\"a1\""), std::string::npos);
    EXPECT_EQ(both.jwks(TokenType::entry, now), R"({"keys":[]})");
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
