// Writes the mails that are owed: reads them from the store, makes their tokens again, hands them
// to the carrier, notes them as written. A process that dies at any point loses none and writes at
// most one twice, with the same id and text.
#pragma once
#include "libs/async/wait.hpp"
#include "libs/core/clock.hpp"
#include "libs/telemetry/log.hpp"
#include "services/auth/mail.hpp"
#include "services/auth/metrics.hpp"
#include "services/auth/tokens.hpp"

namespace urr::auth {

class Mailer {
public:
    // `site`: where the links in mails lead (https://urr.example); empty: mails carry the code
    // alone.
    Mailer(Database& database, MailCarrier& carrier, const Tokens& tokens, const Clock& clock,
           Log& log, Figures& figures, std::string site)
        : database_(database), carrier_(carrier), tokens_(tokens), clock_(clock), log_(log),
          figures_(figures), site_(std::move(site)) {}

    // Until its task is destroyed.
    Task<> run();
    // There is something new.
    void wake() { due_.open(); }
    // One round: how many mails were taken, written or not.
    Task<Result<std::size_t>> carry(Context context);

private:
    Mail letter(const DueMail& due) const;

    Database& database_;
    MailCarrier& carrier_;
    const Tokens& tokens_;
    const Clock& clock_;
    Log& log_;
    Figures& figures_;
    const std::string site_;
    Gate due_;
};

} // namespace urr::auth
