#include "services/auth/throttles.hpp"

#include "libs/async/loop.hpp"
#include "libs/http/client_address.hpp"

namespace urr::auth {

namespace {

Instant now() { return Loop::here().now(); }

std::unexpected<Error> later(Duration wait) {
    const Duration up = wait + seconds(1) - microseconds(1);
    return fail(Error(Code::RATE_LIMITED).retry_after(int(up.us / 1'000'000)));
}

} // namespace

Throttles::Throttles(const ThrottleRules& rules, Random& random)
    : account_(rules.account), address_(rules.address), mailbox_(rules.mailbox) {
    random.fill(secret_);
}

ShortCode Throttles::key_of(std::string_view text) const {
    return short_code(secret_, {reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

ShortCode Throttles::key_of(const Address& client) const {
    return short_code(secret_, subscriber_of(client).bytes);
}

Result<> Throttles::try_password(std::string_view email, const Address& client) {
    const ShortCode account = key_of(email), address = key_of(client);
    const Duration wait = std::max(account_.wait(account, now()), address_.wait(address, now()));
    if (wait.us > 0) return later(wait);
    account_.count(account, now());
    address_.count(address, now());
    return {};
}

void Throttles::give_back(std::string_view email, const Address& client) {
    account_.give_back(key_of(email));
    address_.give_back(key_of(client));
}

Result<> Throttles::try_register(const Address& client) {
    const ShortCode address = key_of(client);
    if (const Duration wait = address_.wait(address, now()); wait.us > 0) return later(wait);
    address_.count(address, now());
    return {};
}

Result<> Throttles::try_mail(std::string_view email) {
    const ShortCode mailbox = key_of(email);
    if (const Duration wait = mailbox_.wait(mailbox, now()); wait.us > 0) return later(wait);
    mailbox_.count(mailbox, now());
    return {};
}

} // namespace urr::auth
