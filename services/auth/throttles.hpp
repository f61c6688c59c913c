// What may be tried how often: passwords per account and per client address, mails per mailbox.
//
//     const Try attempt = TRY(co_await throttles.try_password(context, email, client));
//     … the password was right, or was not looked at:
//     throttles.give_back(attempt);
//
// Two engines: this class counts in this process; SharedThrottles (shared_throttles.hpp) with all
// processes of auth. A try is counted before it is made, so that many at once do not slip through.
// Time is the loop's. One loop.
#pragma once
#include <string_view>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/async/task.hpp"
#include "libs/http/message.hpp"
#include "services/auth/domain/throttle.hpp"

namespace urr::auth {

struct ThrottleRules {
    ThrottleRule account{10, minutes(1)};
    ThrottleRule address{100, seconds(1)};
    ThrottleRule mailbox{3, minutes(5)};
};

// What a try counts for. The key is a keyed code: nobody can tell or choose whose it is.
struct Counted {
    enum class Kind : std::uint8_t { account, address, mailbox };
    Kind kind;
    ShortCode key;
};
inline constexpr std::size_t counted_kinds = 3;

struct Try {
    std::vector<Counted> counted;
    bool is_shared = false; // the other processes know of it
};

class Throttles {
public:
    // `secret`: the same in every process that shares the counts.
    Throttles(const ThrottleRules& rules, const SecretKey& secret);
    virtual ~Throttles() = default;

    // RATE_LIMITED with the seconds to wait. `email` need not be anybody's.
    Task<Result<Try>> try_password(Context context, std::string_view email, const Address& client);
    Task<Result<Try>> try_register(Context context, const Address& client);
    Task<Result<Try>> try_mail(Context context, std::string_view email);
    virtual void give_back(const Try& attempt);

protected:
    // Counts for each of them, or for none.
    virtual Task<Result<Try>> attempt(Context context, std::vector<Counted> counted);
    Result<Try> attempt_here(std::vector<Counted> counted);
    const ThrottleRule& rule_of(Counted::Kind kind) const { return rules_[std::size_t(kind)]; }

private:
    Counted counted(Counted::Kind kind, std::string_view text) const;
    Counted counted(const Address& client) const;

    const SecretKey secret_;
    const std::array<ThrottleRule, counted_kinds> rules_;
    std::array<Throttle, counted_kinds> counts_;
};

// RATE_LIMITED, to come again after that long.
std::unexpected<Error> try_later(Duration wait);

} // namespace urr::auth
