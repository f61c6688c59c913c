// Both engines against the standard's examples and against libsodium on texts of every length.
#include "libs/security/sha256.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include "libs/core/random.hpp"
#include "libs/security/mac.hpp"

namespace urr {
namespace {

std::vector<Sha256::Engine> engines() {
    std::vector<Sha256::Engine> all{Sha256::Engine::portable};
    if (Sha256::best() != all[0]) all.push_back(Sha256::best());
    return all;
}

std::string text_of(Random& random, std::size_t bytes) {
    std::string text(bytes, 0);
    for (char& c : text) c = char(random.next());
    return text;
}

TEST(Sha256, gives_the_digests_of_the_standard) {
    for (const Sha256::Engine engine : engines()) {
        Sha256 abc(engine);
        abc.update("abc");
        EXPECT_EQ(hex(abc.finish()),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        Sha256 two(engine);
        two.update("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
        EXPECT_EQ(hex(two.finish()),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        Sha256 million(engine);
        for (int i = 0; i < 1000; ++i) million.update(std::string(1000, 'a'));
        EXPECT_EQ(hex(million.finish()),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        EXPECT_EQ(hex(Sha256(engine).finish()),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}

TEST(Sha256, agrees_with_libsodium_on_every_length_in_pieces_of_every_size) {
    SeededRandom random(1);
    for (std::size_t length = 0; length < 300; ++length) {
        const std::string text = text_of(random, length);
        Digest wanted;
        crypto_hash_sha256(wanted.data(), reinterpret_cast<const unsigned char*>(text.data()),
                           text.size());
        for (const Sha256::Engine engine : engines()) {
            Sha256 hash(engine);
            for (std::size_t at = 0; at < length;) {
                const std::size_t piece = 1 + random.below(length - at);
                hash.update(std::string_view(text).substr(at, piece));
                at += piece;
            }
            EXPECT_EQ(hash.finish(), wanted) << length;
        }
    }
}

TEST(HmacKey, agrees_with_libsodium_on_keys_of_every_length) {
    SeededRandom random(2);
    for (std::size_t length = 0; length < 150; ++length) {
        const std::string key = text_of(random, length);
        const std::string message = text_of(random, random.below(400));
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                                    key.size());
        crypto_auth_hmacsha256_update(
            &state, reinterpret_cast<const unsigned char*>(message.data()), message.size());
        Digest wanted;
        crypto_auth_hmacsha256_final(&state, wanted.data());
        const HmacKey ours(key);
        EXPECT_EQ(ours.code(message), wanted) << length;
        EXPECT_TRUE(ours.matches(message, wanted));
        wanted[31] ^= 1;
        EXPECT_FALSE(ours.matches(message, wanted));
    }
}

} // namespace
} // namespace urr
