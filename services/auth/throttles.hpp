// What may be tried how often: passwords per account and per client address, mails per mailbox.
// Time is the loop's. One loop.
#pragma once
#include <string_view>

#include "libs/core/random.hpp"
#include "libs/core/result.hpp"
#include "libs/http/message.hpp"
#include "services/auth/domain/throttle.hpp"

namespace urr::auth {

struct ThrottleRules {
    ThrottleRule account{10, minutes(1)};
    ThrottleRule address{100, seconds(1)};
    ThrottleRule mailbox{3, minutes(5)};
};

class Throttles {
public:
    Throttles(const ThrottleRules& rules, Random& random);

    // Counts a try before it is made, so that many at once do not slip through. RATE_LIMITED with
    // the seconds to wait. `email` need not be anybody's.
    Result<> try_password(std::string_view email, const Address& client);
    // The password was right, or was not looked at: it does not count.
    void give_back(std::string_view email, const Address& client);
    Result<> try_register(const Address& client);
    Result<> try_mail(std::string_view email);

private:
    ShortCode key_of(std::string_view text) const;
    ShortCode key_of(const Address& client) const;

    SecretKey secret_{}; // nobody else can tell which keys share cells
    Throttle account_, address_, mailbox_;
};

} // namespace urr::auth
