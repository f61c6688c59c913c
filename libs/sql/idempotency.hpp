// Idempotency keys: the first answer of a request, written with its effect and kept for a day.
//
//     IdempotencyKey key{account, "createReservation", header, sha256(body)};
//     if (auto first = TRY(co_await claim_key(tx, key, 201, id))) co_return *first; // again the
//     same
//     ... the effect ...
//
// The key is the first row that a work takes, in every work: two requests with one key meet there,
// and the second finds the answer of the first instead of its effects. What is kept is known
// beforehand (an id that the caller drew). A call that reaches outside begins an attempt instead
// and keeps the answer when it has it.
//
// The same key with another body is IDEMPOTENCY_KEY_REUSED; a key whose first request has not ended
// is IDEMPOTENCY_IN_PROGRESS. A refusal that changed nothing rolls back and is not kept.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libs/sql/array.hpp"
#include "libs/sql/database.hpp"

namespace urr {

struct IdempotencyKey {
    AccountId account;
    std::string route;
    std::string key; // 1 to 128 visible characters
    std::array<unsigned char, 32> body_sha256{};
};

struct KeptAnswer {
    int status = 0;
    std::string body;
};

inline constexpr Duration answers_kept = hours(24);

// The answer of an earlier request; otherwise the key is ours, with this answer, when the work
// commits.
Task<Result<std::optional<KeptAnswer>>> claim_key(Tx& tx, const IdempotencyKey& key, int status,
                                                  std::string_view answer);
// The same for an attempt: keep_answer or forget_attempt follows. Whoever begins an attempt also
// finds it again after a crash and settles it: until then the key answers IDEMPOTENCY_IN_PROGRESS.
// `also` travels with it, behind the claim, and must do nothing where the key is another's.
Task<Result<std::optional<KeptAnswer>>> claim_attempt(Tx& tx, const IdempotencyKey& key,
                                                      Query* also = nullptr);
// Looks only; for `read`.
Task<Result<std::optional<KeptAnswer>>> find_answer(Tx& tx, const IdempotencyKey& key);
// Not awaited yet, so that it may travel with others; the key and `body` live until it was.
Query keep_answer(Tx& tx, const IdempotencyKey& key, int status, std::string_view body);
// The same: takes back a begun attempt that ended without effect.
Query forget_attempt(Tx& tx, const IdempotencyKey& key);

// Many keys at once, where the engine takes arrays. A batch looks for its keys behind the rows of
// its effects: whoever waited for those sees what the one before kept. The queries are not awaited
// yet, so that they may travel with others; the list lives until they were.
struct KeyList {
    BytesArray accounts, digests;
    TextArray routes, keys, answers;
    void add(const IdempotencyKey& key, std::string_view answer);
};
struct FoundAnswer {
    IdempotencyKey key;
    std::optional<KeptAnswer> kept; // nothing: the first request has not ended
    Instant expires;
};
// Those of the keys that are there, also expired ones: its rows as found_answers reads them.
Query look_for_answers(Tx& tx, KeyList& keys);
std::vector<FoundAnswer> found_answers(const Rows& rows);
// CONFLICT if one of them is there.
Query keep_answers(Tx& tx, int status, KeyList& keys);
// An expired key is a free key, once its row is gone.
Task<Result<void>> drop_expired_answer(Tx& tx, const IdempotencyKey& key);

// Deletes up to `most` expired keys; the number deleted.
Task<Result<std::int64_t>> prune_answers(Tx& tx, std::int64_t most);

// BAD_REQUEST or IDEMPOTENCY_KEY_REQUIRED when the header is not a usable key.
Result<> check_idempotency_key(std::string_view header);

} // namespace urr
