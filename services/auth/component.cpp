#include "services/auth/component.hpp"

namespace urr::auth {

namespace {

constexpr Duration sweep_interval = minutes(1);
constexpr std::int64_t swept_max = 500;

constexpr auto sweep_work = [](Tx& tx, Duration ended_kept) -> Task<Result<std::int64_t>> {
    const std::int64_t mails = TRY(co_await prune_mailed_tokens(tx, swept_max));
    co_return mails + TRY(co_await prune_sessions(tx, swept_max, ended_kept));
};

ThrottleRules throttles_of(const Settings& given) {
    const auto rule = [&](std::string_view tries, std::string_view refill) {
        return ThrottleRule{given.number(tries), seconds(given.number(refill))};
    };
    return {rule("URR_LOGIN_ACCOUNT_TRIES", "URR_LOGIN_ACCOUNT_SECONDS"),
            rule("URR_LOGIN_ADDRESS_TRIES", "URR_LOGIN_ADDRESS_SECONDS"),
            rule("URR_MAILBOX_TRIES", "URR_MAILBOX_SECONDS")};
}

// Keyed by what all processes of auth have, so that they count under the same names.
std::unique_ptr<Throttles> make_throttles(const ThrottleRules& rules, const Needs& needs,
                                          Figures& figures) {
    const SecretKey secret = needs.token_secret.code("throttles");
    if (!needs.redis) return std::make_unique<Throttles>(rules, secret);
    return std::make_unique<SharedThrottles>(rules, secret, *needs.redis, needs.log,
                                             figures.tries_alone);
}

Rules rules_of(const Settings& given) {
    Rules rules;
    rules.access_life = seconds(given.number("URR_ACCESS_SECONDS"));
    rules.refresh.life = seconds(given.number("URR_REFRESH_SECONDS"));
    rules.refresh.grace = seconds(given.number("URR_REFRESH_GRACE_SECONDS"));
    rules.confirm_life = seconds(given.number("URR_CONFIRM_SECONDS"));
    rules.reset_life = seconds(given.number("URR_RESET_SECONDS"));
    return rules;
}

} // namespace

PasswordCost password_cost(const Settings& given) {
    return {given.number("URR_PASSWORD_MEMORY_KIB"), given.number("URR_PASSWORD_PASSES")};
}

Component::Component(const Settings& given, Needs needs)
    : database_(needs.database),
      passwords_(needs.password_pool, needs.random, password_cost(given)),
      throttles_(make_throttles(throttles_of(given), needs, figures_)),
      tokens_(std::move(needs.access_key), needs.token_secret),
      endings_(needs.database, needs.clock, needs.ended, rules_of(given).access_life,
               figures_.endings_read),
      parts_{needs.database, needs.clock, needs.random, passwords_,     *throttles_,
             tokens_,        endings_,    figures_,     rules_of(given)},
      sign_in_(parts_), mailer_(needs.database, needs.mails, tokens_, needs.clock, needs.log,
                                figures_, given.text("URR_SITE")),
      accounts_(parts_, sign_in_, [this] { mailer_.wake(); }),
      routes_(
          accounts_, sign_in_, std::move(needs.access_keys), needs.clock,
          {given.yes("URR_SECURE_COOKIES"), parts_.rules.access_life, parts_.rules.refresh.life}),
      face_("auth", std::move(needs.callers), {"catalog"}, needs.clock) {
    routes_.add_to(face_.router());
}

void Component::start_jobs(Nursery& jobs) {
    jobs.spawn(mailer_.run());
    jobs.spawn(endings_.run());
    jobs.spawn(sweep());
}

Task<> Component::sweep() {
    for (;;) {
        (void)co_await sleep(Context{}, sweep_interval);
        (void)co_await database_.transact(Context{}, sweep_work, endings_.kept());
    }
}

} // namespace urr::auth
