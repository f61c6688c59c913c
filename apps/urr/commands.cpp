#include "apps/urr/commands.hpp"

namespace urr::app {

namespace {

constexpr Command all[] = {
    {"serve", "run everything in one process, or the roles that are named",
     R"(usage: urr serve [ROLE…]

Runs everything in one process on embedded stores, or the roles that are named: gateway, auth,
catalog, ticket, payment, queue, vwr, worker. On embedded stores only gateway and vwr may run apart
from the others. SIGTERM lets requests end (URR_DRAIN_SECONDS) and exits 0. Logs are JSON lines on
standard error.
)",
     serve},
    {"migrate", "bring every store to this program's schema",
     R"(usage: urr migrate

Makes the stores that are missing and applies what is missing in the others; nothing when all is
there. Embedded stores it needs for itself: stop `urr serve` first. On PostgreSQL, Kafka, DynamoDB
and SQS run it while the old program serves.
)",
     migrate_stores},
    {"seed", "make and publish demo events",
     R"(usage: urr seed [--seats N] [--once]

Migrates the stores and publishes three demo events (hall, arena, stadium) with a demo admin and a
demo fan, whose passwords are drawn and told on standard error; or one event of N seats, without
people. Prints a line "id title" per event. --once makes no event where there is one, and prints
those that there are.
)",
     seed},
    {"keys", "make the keys that are missing, rotate one, or hand out a role's",
     R"(usage: urr keys [rotate access|vwr|place|entry|ticket]
       urr keys --role ROLE [--to FOLDER]

Makes the keys that are missing in URR_DATA/keys and never overwrites a secret. On one machine of an
installation: it refuses where public halves stand that were carried there. `rotate` makes a new
signing key; the one before it still counts for 24 hours. Restart what runs to use it.
--role prints the names of the files that the role needs of URR_DATA/keys, and with --to copies them
into FOLDER, which is to be carried to where the role runs, as URR_DATA/keys there: public halves
0644, the others 0600. Nothing is copied while one is missing or damaged; what else stands in FOLDER
stays.
)",
     keys},
    {"admin", "make an admin's account",
     R"(usage: urr admin create --email ADDRESS [--name NAME] [--password-file FILE]

Makes an account with the role admin, its address taken as confirmed. Without a file the password
is drawn and shown once. Embedded stores it needs for itself: stop `urr serve` first. Later admins
are made by this one: PUT /api/v1/auth/admin/users/ID/role.
)",
     admin},
    {"token", "mint signed-in test accounts",
     R"(usage: urr token mint [--count N] [--role user|staff|admin]

Prints a line "account token" each. For rehearsals: needs the signing key.
)",
     token},
    {"stampede", "play an on-sale and audit it",
     R"(usage: urr stampede --self | --target URL --accounts FILE --stores FILE [--event ID]
                    [--fans N] [--seats N] [--seed S] [--bots P] [--abandon P] [--slow-payers P]
                    [--declines P] [--linger SECONDS] [--kills N] [--report FILE]
                    [--timeline FILE]

Plays an on-sale and audits it: against a private system in a temporary folder, or against URL with
the accounts of `urr token mint` and a file that names the stores to audit ("folder=PATH"). P in
percent of the fans; they look at the map for up to --linger seconds; --timeline tells when
orders were confirmed and requests failed; --kills ends the private server with kill -9 so often
and starts it again.
Exit status 1 when the audit finds anything.
)",
     stampede},
    {"replay", "give parked messages to their consumer again",
     R"(usage: urr replay --group GROUP [--topic TOPIC]

A message that its consumer refused five times is parked, and those of its key behind it. Mend the
cause and replay; on embedded stores, which are one process's, stop `urr serve` first. Prints how
many were taken; what is refused again stays parked. Cut off and run again, or run twice at once, it
takes each but once.
)",
     replay},
    {"evidence", "verify, export and heal the evidence ledger",
     R"(usage: urr evidence verify [--event ID [--head RECORDS:HASH]]
       urr evidence export --event ID
       urr evidence redrive
       urr evidence resend --event ID --from NUMBER
       urr evidence renew

verify walks the chains and names the first link that does not hold, and records that are waited
for; with a head that was noted before it sees a chain that was written anew. Exit status 1 when
anything is wrong. export prints a chain, a JSON line a record, for others to verify.
redrive gives back to the worker what was put aside. resend lets queue and ticket send what they
told of an event once more, from that number on. renew begins their numbering anew, when their
stores were restored from a backup; stop queue and ticket first.
On embedded stores stop `urr serve` for all of these: the stores are one process's.
)",
     evidence},
    {"config", "the settings, their values and what they mean",
     R"(usage: urr config [--markdown]

Prints each setting with its value; secrets are never shown. --markdown writes docs/settings.md.
)",
     config},
    {"doctor", "look for what is wrong with an installation",
     R"(usage: urr doctor [ROLE…]

Checks the data folder, space, keys, stores, ports, clock and limits, and each engine that is set
(PostgreSQL, Redis, Kafka, DynamoDB, SQS): its address, whether it was reached (three seconds for
each answer), let us in and is as the program needs it, or what is wrong and what to mend. A line
each; beside a running `urr serve` too; nothing is changed and no secret shown. Where roles are
named, what they need. Exit status 1 when anything is bad.
)",
     doctor},
    {"version", "the program's version", "usage: urr version\n", version},
};

} // namespace

std::span<const Command> commands() { return all; }

} // namespace urr::app
