#include "services/auth/store/mailed_tokens.hpp"

#include <algorithm>

namespace urr::auth {

namespace {

constexpr Statement insert{
    "INSERT INTO mailed_tokens (id, hash, account, purpose, expires_us, used_us, due_us, attempts) "
    "VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6, 0)"};
constexpr Statement use{
    "UPDATE mailed_tokens SET used_us = ?3, due_us = NULL WHERE hash = ?1 AND purpose = ?2 "
    "AND used_us IS NULL AND expires_us > ?3 RETURNING account"};
constexpr Statement find{"SELECT account FROM mailed_tokens WHERE hash = ?1 AND purpose = ?2 "
                         "AND used_us IS NULL AND expires_us > ?3"};
constexpr Statement end_all{"UPDATE mailed_tokens SET used_us = ?3, due_us = NULL "
                            "WHERE account = ?1 AND purpose = ?2 AND used_us IS NULL"};
#define DUE_MAILS                                                                                  \
    "SELECT m.id, m.purpose, m.expires_us, m.attempts, u.email FROM mailed_tokens m "              \
    "JOIN users u ON u.id = m.account WHERE m.due_us IS NOT NULL AND m.due_us <= ?1 "              \
    "AND m.expires_us > ?1 ORDER BY m.due_us LIMIT ?2"
// Those that another process is taking are its business.
constexpr Statement due{DUE_MAILS, DUE_MAILS " FOR UPDATE OF m SKIP LOCKED"};
#undef DUE_MAILS
constexpr Statement postpone{
    "UPDATE mailed_tokens SET due_us = ?2, attempts = attempts + 1 WHERE id = ?1 AND due_us <= ?3"};
constexpr Statement done{"UPDATE mailed_tokens SET due_us = NULL WHERE id = ?1"};
constexpr Statement prune{"DELETE FROM mailed_tokens WHERE id IN "
                          "(SELECT id FROM mailed_tokens WHERE expires_us <= ?1 LIMIT ?2)"};

constexpr Duration first_pause = seconds(10);
constexpr std::int64_t doublings_max = 6; // about ten minutes

std::span<const unsigned char> bytes(const Digest& digest) { return digest; }

} // namespace

Task<Result<bool>> insert_mailed_token(Tx& tx, NewMailedToken token) {
    const Value due_at = token.account.is_zero() ? Value(nullptr) : Value(tx.now);
    TRY(co_await tx.run(insert, {token.id, bytes(token.hash), token.account, int(token.purpose),
                                 tx.now + token.life, due_at}));
    co_return true;
}

Task<Result<AccountId>> use_mailed_token(Tx& tx, Digest hash, Purpose purpose) {
    const Rows rows = TRY(co_await tx.run(use, {bytes(hash), int(purpose), tx.now}));
    if (rows.empty()) co_return fail(Code::CONFIRMATION_INVALID);
    co_return rows.id<AccountId>(0, 0);
}

Task<Result<AccountId>> owner_of_mailed_token(Tx& tx, Digest hash, Purpose purpose) {
    const Rows rows = TRY(co_await tx.run(find, {bytes(hash), int(purpose), tx.now}));
    if (rows.empty()) co_return fail(Code::CONFIRMATION_INVALID);
    co_return rows.id<AccountId>(0, 0);
}

Task<Result<bool>> end_mailed_tokens(Tx& tx, AccountId account, Purpose purpose) {
    const Rows rows = TRY(co_await tx.run(end_all, {account, int(purpose), tx.now}));
    co_return rows.changes() > 0;
}

Task<Result<std::vector<DueMail>>> take_due_mails(Tx& tx, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(due, {tx.now, most}));
    std::vector<DueMail> mails;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto token = rows.id<MailedTokenId>(i, 0);
        const std::int64_t doublings = std::min(rows.integer(i, 3), doublings_max);
        const Instant again = tx.now + first_pause * (std::int64_t(1) << doublings);
        // Taken by who postpones it: another process may have been faster.
        if (TRY(co_await tx.run(postpone, {token, again, tx.now})).changes() == 0) continue;
        mails.push_back(
            {token, Purpose(rows.integer(i, 1)), std::string(rows.text(i, 4)), rows.instant(i, 2)});
    }
    co_return mails;
}

Task<Result<bool>> note_mailed(Tx& tx, MailedTokenId token) {
    const Rows rows = TRY(co_await tx.run(done, {token}));
    co_return rows.changes() > 0;
}

Task<Result<std::int64_t>> prune_mailed_tokens(Tx& tx, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(prune, {tx.now, most}));
    co_return rows.changes();
}

} // namespace urr::auth
