// auth as a part of the program: what it needs, what it hands out.
//
//     auth::Component accounts(settings, {database, clock, …});
//     loopback(accounts.face());             // or listen_http(…, accounts.face(), …)
//
// `migrate(database, migrations)` comes first. One loop. It alone holds the key that signs access
// tokens.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/settings.hpp"
#include "libs/telemetry/log.hpp"
#include "services/auth/http/routes.hpp"
#include "services/auth/jobs/mailer.hpp"
#include "services/auth/shared_throttles.hpp"
#include "services/auth/store/schema.hpp"

namespace urr::auth {

// URR_SECURE_COOKIES is read too (shared_settings). The pool of passwords and the carrier of mails
// are made where the program is composed, by the rows marked so.
inline constexpr SettingRow settings[] = {
    {"URR_PASSWORD_THREADS", Kind::number, "2", "threads that compute passwords", 1, 64},
    {"URR_PASSWORD_QUEUE", Kind::number, "64", "passwords that may wait; then 503 OVERLOADED", 1,
     10'000},
    {"URR_PASSWORD_MEMORY_KIB", Kind::number, "32768", "Argon2id: memory of one, KiB", 8,
     4'194'304},
    {"URR_PASSWORD_PASSES", Kind::number, "2", "Argon2id: passes over that memory", 1, 100},
    {"URR_LOGIN_ACCOUNT_TRIES", Kind::number, "10", "wrong passwords at once per account", 1,
     1'000'000},
    {"URR_LOGIN_ACCOUNT_SECONDS", Kind::number, "60", "then one more each so many seconds", 1,
     86'400},
    {"URR_LOGIN_ADDRESS_TRIES", Kind::number, "100",
     "wrong passwords and registrations at once per client address", 1, 1'000'000},
    {"URR_LOGIN_ADDRESS_SECONDS", Kind::number, "1", "then one more each so many seconds", 1,
     86'400},
    {"URR_MAILBOX_TRIES", Kind::number, "3", "mails on request at once per mailbox", 1, 1'000},
    {"URR_MAILBOX_SECONDS", Kind::number, "300", "then one more each so many seconds", 1, 86'400},
    {"URR_ACCESS_SECONDS", Kind::number, "1800", "life of an access token", 1, 86'400},
    {"URR_REFRESH_SECONDS", Kind::number, "604800", "life of a refresh token", 60, 31'536'000},
    {"URR_REFRESH_GRACE_SECONDS", Kind::number, "30",
     "how long a spent refresh token still gives its successor", 0, 3'600},
    {"URR_CONFIRM_SECONDS", Kind::number, "86400", "life of a confirmation mail", 60, 31'536'000},
    {"URR_RESET_SECONDS", Kind::number, "3600", "life of a mail to reset a password", 60, 86'400},
    {"URR_MAIL_FOLDER", Kind::text, "",
     "folder that mails are written to; empty: mail/outbox in URR_DATA"},
    {"URR_MAIL_FROM", Kind::text, "URR <no-reply@urr.invalid>", "sender of mails"},
    {"URR_SITE", Kind::text, "", "where links in mails lead: https://urr.example; empty: no links"},
};

PasswordCost password_cost(const Settings& given);

struct Needs {
    Database& database;
    const Clock& clock;
    Random& random;
    Log& log;
    Offload& password_pool; // of its own: nothing else waits behind passwords
    MailCarrier& mails;
    EndedSessions& ended;   // what gateways know of sessions
    SigningKey access_key;  // TokenType::access
    PublicKeys access_keys; // that one's and those it replaced
    HmacKey token_secret;
    CallerKeys callers;     // gateway, catalog
    Redis* redis = nullptr; // tries that all processes count together; else each its own
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "auth"; }
    HttpHandler& face() { return face_; }

    const Router* router() const override { return &face_.router(); }
    // Tells what ended before this process began.
    Task<Result<void>> open(Context context) override { return endings_.read(context); }
    void start_jobs(Nursery& jobs) override;
    void append_metrics(MetricsText& out) const override { figures_.append(out, face_.answers()); }
    bool healthy() const override { return database_.healthy(); }

private:
    Task<> sweep();

    Database& database_;
    Figures figures_;
    Passwords passwords_;
    std::unique_ptr<Throttles> throttles_;
    Tokens tokens_;
    Endings endings_;
    Parts parts_;
    SignIn sign_in_;
    Mailer mailer_;
    Accounts accounts_;
    Routes routes_;
    GuardedService face_;
};

} // namespace urr::auth
