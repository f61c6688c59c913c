#include "services/auth/metrics.hpp"

namespace urr::auth {

void Figures::append(MetricsText& out, const AnswerMetrics& answers) const {
    answers.write(out, "urr_auth");
    out.counter("urr_auth_registered_total", "Accounts made.", registered);
    out.counter("urr_auth_confirmed_total", "Addresses confirmed.", confirmed);
    constexpr std::string_view logins_help = "Sign-ins by outcome.";
    out.counter("urr_auth_logins_total", logins_help, logins, R"(outcome="right")");
    out.counter("urr_auth_logins_total", logins_help, logins_failed, R"(outcome="wrong")");
    out.counter("urr_auth_logins_total", logins_help, logins_throttled, R"(outcome="throttled")");
    out.counter("urr_auth_logins_total", logins_help, logins_overloaded, R"(outcome="overloaded")");
    constexpr std::string_view refresh_help = "Uses of refresh tokens by outcome.";
    out.counter("urr_auth_refreshes_total", refresh_help, refreshed, R"(outcome="rotated")");
    out.counter("urr_auth_refreshes_total", refresh_help, refreshed_again, R"(outcome="repeated")");
    out.counter("urr_auth_refreshes_total", refresh_help, refresh_refused, R"(outcome="refused")");
    out.counter("urr_auth_refreshes_total", refresh_help, families_revoked, R"(outcome="revoked")");
    out.counter("urr_auth_passwords_changed_total", "Passwords changed or reset.",
                passwords_changed);
    out.counter("urr_auth_mails_total", "Mails written.", mails);
    out.counter("urr_auth_mails_failed_total", "Mails that could not be written; tried again.",
                mails_failed);
    out.counter("urr_auth_tries_alone_total",
                "Tries counted by this process alone, because Redis was away.", tries_alone);
    out.counter("urr_auth_endings_read_total",
                "Rows of ended sessions that were read to learn what others ended.", endings_read);
    out.histogram("urr_auth_password_seconds", "Waiting for and checking a password.",
                  password_time);
}

} // namespace urr::auth
