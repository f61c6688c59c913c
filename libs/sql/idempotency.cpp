#include "libs/sql/idempotency.hpp"

namespace urr {

namespace {

constexpr Statement find{"SELECT body_sha256, status, answer FROM idempotency "
                         "WHERE account = ?1 AND route = ?2 AND key = ?3 AND expires_us > ?4"};
// An expired key is a free key.
constexpr Statement claim{
    "INSERT INTO idempotency (account, route, key, body_sha256, status, answer, expires_us) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (account, route, key) DO UPDATE SET "
    "body_sha256 = excluded.body_sha256, status = excluded.status, answer = excluded.answer, "
    "expires_us = excluded.expires_us WHERE idempotency.expires_us <= ?8"};
#define GIVEN_KEYS                                                                                 \
    "unnest(?1::bytea[]) AS account, unnest(?2::text[]) AS route, unnest(?3::text[]) AS key"
// By the key, whatever the statistics say: they may be those of an empty table (OFFSET 0 keeps this
// from becoming a join).
constexpr Statement find_many{
    "SELECT k.account, k.route, k.key, k.body_sha256, k.status, k.answer, k.expires_us "
    "FROM (SELECT " GIVEN_KEYS ") AS q, LATERAL (SELECT * FROM idempotency AS i WHERE "
    "i.account = q.account AND i.route = q.route AND i.key = q.key OFFSET 0) AS k"};
constexpr Statement claim_many{
    "INSERT INTO idempotency (account, route, key, body_sha256, status, answer, expires_us) "
    "SELECT account, route, key, digest, ?6, answer, ?7 FROM (SELECT " GIVEN_KEYS
    ", unnest(?4::bytea[]) AS digest, unnest(?5::text[]) AS answer) AS q"};
#undef GIVEN_KEYS
constexpr Statement answer_attempt{"UPDATE idempotency SET status = ?4, answer = ?5 "
                                   "WHERE account = ?1 AND route = ?2 AND key = ?3"};
constexpr Statement drop_expired{"DELETE FROM idempotency WHERE account = ?1 AND route = ?2 AND "
                                 "key = ?3 AND expires_us <= ?4"};
constexpr Statement forget{"DELETE FROM idempotency WHERE account = ?1 AND route = ?2 AND key = ?3 "
                           "AND status IS NULL"};
constexpr Statement prune{
    "DELETE FROM idempotency WHERE (account, route, key) IN (SELECT account, route, key "
    "FROM idempotency WHERE expires_us <= ?1 LIMIT ?2)"};

} // namespace

Task<Result<std::optional<KeptAnswer>>> find_answer(Tx& tx, const IdempotencyKey& key) {
    const Rows rows = TRY(co_await tx.run(find, {key.account, key.route, key.key, tx.now}));
    if (rows.empty()) co_return std::optional<KeptAnswer>();
    const auto body = rows.bytes(0, 0);
    if (!std::equal(body.begin(), body.end(), key.body_sha256.begin(), key.body_sha256.end()))
        co_return fail(Code::IDEMPOTENCY_KEY_REUSED);
    if (rows.is_null(0, 1)) co_return fail(Error(Code::IDEMPOTENCY_IN_PROGRESS).retry_after(1));
    co_return std::optional<KeptAnswer>(
        KeptAnswer{int(rows.integer(0, 1)), std::string(rows.text(0, 2))});
}

namespace {

// Whoever has the key: its answer. It may have expired and gone since we were refused; then nobody
// has it, but neither have we.
Task<Result<std::optional<KeptAnswer>>> answer_of_another(Tx& tx, const IdempotencyKey& key) {
    auto kept = TRY(co_await find_answer(tx, key));
    if (!kept) co_return fail(Error(Code::IDEMPOTENCY_IN_PROGRESS).retry_after(1));
    co_return kept;
}

} // namespace

Task<Result<std::optional<KeptAnswer>>> claim_key(Tx& tx, const IdempotencyKey& key, int status,
                                                  std::string_view answer) {
    const std::span<const unsigned char> digest(key.body_sha256);
    const Rows rows = TRY(co_await tx.run(claim, {key.account, key.route, key.key, digest, status,
                                                  answer, tx.now + answers_kept, tx.now}));
    if (rows.changes() == 1) co_return std::optional<KeptAnswer>();
    co_return TRY(co_await answer_of_another(tx, key));
}

Task<Result<std::optional<KeptAnswer>>> claim_attempt(Tx& tx, const IdempotencyKey& key,
                                                      Query* also) {
    const std::span<const unsigned char> digest(key.body_sha256);
    Query claimed = tx.run(claim, {key.account, key.route, key.key, digest, nullptr, nullptr,
                                   tx.now + answers_kept, tx.now});
    claimed.also = also;
    const Rows rows = TRY(co_await claimed);
    if (rows.changes() == 1) co_return std::optional<KeptAnswer>();
    co_return TRY(co_await answer_of_another(tx, key));
}

void KeyList::add(const IdempotencyKey& key, std::string_view answer) {
    accounts.add(key.account);
    routes.add(key.route);
    keys.add(key.key);
    digests.add(std::span<const unsigned char>(key.body_sha256));
    answers.add(answer);
}

Query look_for_answers(Tx& tx, KeyList& keys) {
    return tx.run(find_many, {keys.accounts, keys.routes, keys.keys});
}

std::vector<FoundAnswer> found_answers(const Rows& rows) {
    std::vector<FoundAnswer> found(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        IdempotencyKey& key = found[i].key;
        key = {rows.id<AccountId>(i, 0),
               std::string(rows.text(i, 1)),
               std::string(rows.text(i, 2)),
               {}};
        const auto digest = rows.bytes(i, 3);
        if (digest.size() == key.body_sha256.size())
            std::copy(digest.begin(), digest.end(), key.body_sha256.begin());
        found[i].expires = rows.instant(i, 6);
        if (!rows.is_null(i, 4))
            found[i].kept = KeptAnswer{int(rows.integer(i, 4)), std::string(rows.text(i, 5))};
    }
    return found;
}

Query keep_answers(Tx& tx, int status, KeyList& keys) {
    return tx.run(claim_many, {keys.accounts, keys.routes, keys.keys, keys.digests, keys.answers,
                               status, tx.now + answers_kept});
}

Task<Result<void>> drop_expired_answer(Tx& tx, const IdempotencyKey& key) {
    TRY(co_await tx.run(drop_expired, {key.account, key.route, key.key, tx.now}));
    co_return Result<void>{};
}

Query keep_answer(Tx& tx, const IdempotencyKey& key, int status, std::string_view body) {
    return tx.run(answer_attempt, {key.account, key.route, key.key, status, body});
}

Query forget_attempt(Tx& tx, const IdempotencyKey& key) {
    return tx.run(forget, {key.account, key.route, key.key});
}

Task<Result<std::int64_t>> prune_answers(Tx& tx, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(prune, {tx.now, most}));
    co_return rows.changes();
}

Result<> check_idempotency_key(std::string_view header) {
    if (header.empty()) return fail(Code::IDEMPOTENCY_KEY_REQUIRED);
    if (header.size() > 128) return fail(Code::BAD_REQUEST, "Idempotency-Key is too long");
    for (const char c : header)
        if (c <= ' ' || c > '~')
            return fail(Code::BAD_REQUEST, "Idempotency-Key has odd characters");
    return {};
}

} // namespace urr
