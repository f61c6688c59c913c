// Passwords at rest: Argon2id (RFC 9106) in its usual text form ($argon2id$v=19$m=…,t=…,p=1$…$…),
// computed by a bounded pool of threads, since one takes tens of milliseconds on purpose.
//
//     Passwords passwords(*offload, random, cost);
//     std::string kept = TRY(co_await passwords.hash(context, password));
//     bool fits = TRY(co_await passwords.fits(context, password, kept));
//
// OVERLOADED when the pool's queue is full, DEADLINE_EXCEEDED when no thread came to it in time;
// nothing was computed then. What was kept under another cost still fits: `is_outdated` tells.
#pragma once
#include <string>
#include <string_view>

#include "libs/async/offload.hpp"
#include "libs/async/task.hpp"
#include "libs/core/random.hpp"

namespace urr {

struct PasswordCost {
    std::int64_t memory_kib = 65'536; // at least 8
    std::int64_t passes = 2;          // at least 1
    bool operator==(const PasswordCost&) const = default;
};

class Passwords {
public:
    // `random` gives the salts. All three outlive the object; one loop.
    Passwords(Offload& pool, Random& random, PasswordCost cost)
        : pool_(pool), random_(random), cost_(cost) {}

    Task<Result<std::string>> hash(Context context, std::string password);
    // False also where `kept` is no such text.
    Task<Result<bool>> fits(Context context, std::string password, std::string kept);
    // Takes as long as `fits` and never does: for an account that does not exist, so that its
    // absence cannot be timed.
    Task<Result<bool>> fits_nobody(Context context, std::string password);
    // Kept under another cost than today's: hash it again when the password is next at hand.
    bool is_outdated(std::string_view kept) const;

private:
    Offload& pool_;
    Random& random_;
    const PasswordCost cost_;
};

} // namespace urr
