#include "services/auth/throttles.hpp"

#include "libs/async/loop.hpp"
#include "libs/http/client_address.hpp"

namespace urr::auth {

std::unexpected<Error> try_later(Duration wait) {
    const Duration up = wait + seconds(1) - microseconds(1);
    return fail(Error(Code::RATE_LIMITED).retry_after(int(up.us / 1'000'000)));
}

Throttles::Throttles(const ThrottleRules& rules, const SecretKey& secret)
    : secret_(secret), rules_{rules.account, rules.address, rules.mailbox},
      counts_{Throttle(rules.account), Throttle(rules.address), Throttle(rules.mailbox)} {}

Counted Throttles::counted(Counted::Kind kind, std::string_view text) const {
    return {kind, short_code(secret_,
                             {reinterpret_cast<const unsigned char*>(text.data()), text.size()})};
}

Counted Throttles::counted(const Address& client) const {
    return {Counted::Kind::address, short_code(secret_, subscriber_of(client).bytes)};
}

Task<Result<Try>> Throttles::try_password(Context context, std::string_view email,
                                          const Address& client) {
    return attempt(context, {counted(Counted::Kind::account, email), counted(client)});
}

Task<Result<Try>> Throttles::try_register(Context context, const Address& client) {
    return attempt(context, {counted(client)});
}

Task<Result<Try>> Throttles::try_mail(Context context, std::string_view email) {
    return attempt(context, {counted(Counted::Kind::mailbox, email)});
}

Result<Try> Throttles::attempt_here(std::vector<Counted> counted) {
    const Instant now = Loop::here().now();
    Duration wait;
    for (const auto& [kind, key] : counted)
        wait = std::max(wait, counts_[std::size_t(kind)].wait(key, now));
    if (wait.us > 0) return try_later(wait);
    for (const auto& [kind, key] : counted) counts_[std::size_t(kind)].count(key, now);
    return Try{std::move(counted)};
}

Task<Result<Try>> Throttles::attempt(Context, std::vector<Counted> counted) {
    co_return attempt_here(std::move(counted));
}

void Throttles::give_back(const Try& attempt) {
    for (const auto& [kind, key] : attempt.counted) counts_[std::size_t(kind)].give_back(key);
}

} // namespace urr::auth
