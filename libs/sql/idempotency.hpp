// Idempotency keys: the first answer of a request, written with its effect and kept for a day.
//
//     IdempotencyKey key{account, "createReservation", header, sha256(body)};
//     if (auto first = TRY(co_await find_answer(tx, key))) co_return *first;    // again the same
//     ... the effect ...
//     TRY(co_await keep_answer(tx, key, 201, json));
//
// The same key with another body is IDEMPOTENCY_KEY_REUSED; a key whose first request has not ended
// is IDEMPOTENCY_IN_PROGRESS. A refusal that changed nothing rolls back and is not kept.
#pragma once
#include <array>
#include <optional>
#include <string>

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

Task<Result<std::optional<KeptAnswer>>> find_answer(Tx& tx, const IdempotencyKey& key);
Task<Result<void>> keep_answer(Tx& tx, const IdempotencyKey& key, int status,
                               std::string_view body);
// Marks the key as under way, for calls that reach outside; keep_answer or forget_attempt follows.
// Whoever begins an attempt also finds it again after a crash and settles it: until then the key
// answers IDEMPOTENCY_IN_PROGRESS.
Task<Result<void>> begin_attempt(Tx& tx, const IdempotencyKey& key);
// Takes back a begun attempt that ended without effect.
Task<Result<void>> forget_attempt(Tx& tx, const IdempotencyKey& key);
// Deletes up to `most` expired keys; the number deleted.
Task<Result<std::int64_t>> prune_answers(Tx& tx, std::int64_t most);

// BAD_REQUEST or IDEMPOTENCY_KEY_REQUIRED when the header is not a usable key.
Result<> check_idempotency_key(std::string_view header);

} // namespace urr
