// The works on tokens that go by mail: written with their cause, mailed afterwards by a job, good
// for one use until they expire.
#pragma once
#include <string>
#include <vector>

#include "libs/security/mac.hpp"
#include "libs/sql/database.hpp"

namespace urr::auth {

using MailedTokenId = Id<struct MailedTokenKind>;

// What the bearer of the mail may do.
enum class Purpose : std::uint8_t { confirm = 0, reset = 1 };

struct NewMailedToken {
    MailedTokenId id;
    Digest hash;
    AccountId account; // zero: nobody has that address; no mail goes out
    Purpose purpose = Purpose::confirm;
    Duration life;
};
Task<Result<bool>> insert_mailed_token(Tx& tx, NewMailedToken token);

// Uses it up and says whose it is: CONFIRMATION_INVALID when it is unknown, used, expired or for
// something else.
Task<Result<AccountId>> use_mailed_token(Tx& tx, Digest hash, Purpose purpose);
// The same without using it up.
Task<Result<AccountId>> owner_of_mailed_token(Tx& tx, Digest hash, Purpose purpose);
// Ends what is left of that kind, so that an older mail is worth nothing.
Task<Result<bool>> end_mailed_tokens(Tx& tx, AccountId account, Purpose purpose);

// A mail that is to be written.
struct DueMail {
    MailedTokenId token;
    Purpose purpose = Purpose::confirm;
    std::string email;
    Instant expires;
};
// Takes up to `most` that are due; each comes again after a pause that doubles, unless note_mailed
// or its expiry comes first. So a process that dies with mails in hand loses none.
Task<Result<std::vector<DueMail>>> take_due_mails(Tx& tx, std::int64_t most);
Task<Result<bool>> note_mailed(Tx& tx, MailedTokenId token);
// Deletes up to `most` that have expired; how many.
Task<Result<std::int64_t>> prune_mailed_tokens(Tx& tx, std::int64_t most);

} // namespace urr::auth
