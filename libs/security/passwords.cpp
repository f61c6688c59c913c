#include "libs/security/passwords.hpp"

#include <sodium.h>

#include <array>

namespace urr {

namespace {

using Salt = std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES>;
constexpr std::size_t hash_bytes = 32;

std::string base64(const unsigned char* bytes, std::size_t size) {
    std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING),
                     '\0');
    sodium_bin2base64(text.data(), text.size(), bytes, size,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    text.pop_back(); // its terminating zero
    return text;
}

std::string prefix_of(const PasswordCost& cost) {
    return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) +
           ",t=" + std::to_string(cost.passes) + ",p=1$";
}

// Empty when there is no memory for it.
std::string hash_now(const std::string& password, const PasswordCost& cost, const Salt& salt) {
    std::array<unsigned char, hash_bytes> hash;
    if (crypto_pwhash(hash.data(), hash.size(), password.data(), password.size(), salt.data(),
                      (unsigned long long)cost.passes, std::size_t(cost.memory_kib) * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return {};
    return prefix_of(cost) + base64(salt.data(), salt.size()) + "$" +
           base64(hash.data(), hash.size());
}

bool fits_now(const std::string& password, const std::string& kept) {
    return crypto_pwhash_str_verify(kept.c_str(), password.data(), password.size()) == 0;
}

} // namespace

Task<Result<std::string>> Passwords::hash(Context context, std::string password) {
    Salt salt;
    random_.fill(salt);
    std::string kept = TRY(co_await pool_.run(context, hash_now, std::move(password), cost_, salt));
    if (kept.empty()) co_return fail(Error(Code::OVERLOADED, "no memory").retry_after(1));
    co_return kept;
}

Task<Result<bool>> Passwords::fits(Context context, std::string password, std::string kept) {
    co_return co_await pool_.run(context, fits_now, std::move(password), std::move(kept));
}

Task<Result<bool>> Passwords::fits_nobody(Context context, std::string password) {
    TRY(co_await hash(context, std::move(password)));
    co_return false;
}

bool Passwords::is_outdated(std::string_view kept) const {
    return !kept.starts_with(prefix_of(cost_));
}

} // namespace urr
