#include "libs/security/passwords.hpp"

#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"

namespace urr {
namespace {

constexpr PasswordCost cheap{8, 1};

struct PasswordTest : testing::Test {
    SimWorld world{1};
    SimLoop loop{world};
    SeededRandom random{5};
    std::unique_ptr<Offload> pool = make_loop_offload();
    Passwords passwords{*pool, random, cheap};

    template <class T>
    T wait(Task<Result<T>> task) {
        static constexpr auto keep = [](Task<Result<T>> of, std::optional<T>& out) -> Task<> {
            out = must(co_await std::move(of));
        };
        std::optional<T> out;
        Loop::Enter in(&loop);
        Nursery nursery;
        nursery.spawn(keep(std::move(task), out));
        while (!out && world.step()) {
        }
        return std::move(*out);
    }
};

TEST_F(PasswordTest, fit_themselves_and_nothing_else) {
    const std::string kept = wait(passwords.hash(Context{}, "correct horse"));
    EXPECT_TRUE(kept.starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << kept;
    EXPECT_TRUE(wait(passwords.fits(Context{}, "correct horse", kept)));
    EXPECT_FALSE(wait(passwords.fits(Context{}, "correct horsf", kept)));
    EXPECT_FALSE(wait(passwords.fits(Context{}, "", kept)));
    EXPECT_FALSE(wait(passwords.fits(Context{}, "correct horse", "nothing kept")));
    EXPECT_FALSE(wait(passwords.fits_nobody(Context{}, "correct horse")));
}

TEST_F(PasswordTest, have_a_salt_each) {
    EXPECT_NE(wait(passwords.hash(Context{}, "same")), wait(passwords.hash(Context{}, "same")));
}

TEST_F(PasswordTest, kept_under_another_cost_still_fit_and_are_outdated) {
    Passwords before(*pool, random, PasswordCost{16, 1});
    const std::string kept = wait(before.hash(Context{}, "correct horse"));
    EXPECT_TRUE(wait(passwords.fits(Context{}, "correct horse", kept)));
    EXPECT_TRUE(passwords.is_outdated(kept));
    EXPECT_FALSE(before.is_outdated(kept));
}

TEST_F(PasswordTest, a_zero_byte_is_part_of_the_password) {
    const std::string with_zero("ab\0cd", 5), other("ab\0ce", 5);
    const std::string kept = wait(passwords.hash(Context{}, with_zero));
    EXPECT_TRUE(wait(passwords.fits(Context{}, with_zero, kept)));
    EXPECT_FALSE(wait(passwords.fits(Context{}, other, kept)));
}

} // namespace
} // namespace urr
