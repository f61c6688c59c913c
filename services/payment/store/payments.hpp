// The works on orders, attempts and the ledger.
#pragma once
#include "libs/contract/events.hpp"
#include "libs/sql/idempotency.hpp"
#include "libs/sql/migrations.hpp"

namespace urr::payment {

extern const Migration migrations[2];

enum class OrderState : std::uint8_t { open = 0, withdrawn = 1, captured = 2 };
// started: under way, its outcome is not known here. refused: ticket did not let it begin.
enum class AttemptState : std::uint8_t {
    started = 0,
    captured = 1,
    declined = 2,
    refused = 3,
    voided = 4,
    refunded = 5
};
std::string_view state_name(AttemptState state);

struct Order {
    OrderId id;
    AccountId account;
    Won amount;
    Instant expires;
    OrderState state = OrderState::open;
};

struct Attempt {
    PaymentId id;
    OrderId order;
    AccountId account;
    Won amount;
    AttemptState state = AttemptState::started;
    Instant created;
    IdempotencyKey key;
};

// PaymentRequested, or what prepare learnt by asking; once is enough.
Task<Result<bool>> put_order(Tx& tx, Order order);
Task<Result<bool>> withdraw_order(Tx& tx, OrderId id);
Task<Result<Order>> find_order(Tx& tx, OrderId id);

struct Started {
    Attempt attempt;
    std::optional<KeptAnswer> answer; // of an earlier request with this key
};
// NOT_FOUND, PAYMENT_ALREADY_CAPTURED, PAYMENT_OUTCOME_PENDING (another attempt is under way).
Task<Result<Started>> start_attempt(Tx& tx, PaymentId id, OrderId order, IdempotencyKey key);

// What an attempt came to, exactly once: with the ledger, the event and the answer by key. An
// attempt that has an outcome already keeps it.
struct Settlement {
    PaymentId attempt;
    AttemptState to = AttemptState::captured;
    std::int64_t fence = 0;
    bool announce = true; // ticket was told to begin, so it is told the outcome
    MessageId message;
};
Task<Result<Attempt>> settle_attempt(Tx& tx, Settlement settlement);
Task<Result<bool>> note_refund(Tx& tx, PaymentId attempt);

Task<Result<Attempt>> find_attempt(Tx& tx, PaymentId id);
Task<Result<std::vector<Attempt>>> attempts_of(Tx& tx, AccountId account, std::int64_t most);
// Those started before `before`: their outcome must be asked for.
Task<Result<std::vector<Attempt>>> unsettled(Tx& tx, Duration age, std::int64_t most);

std::string attempt_json(const Attempt& attempt);

} // namespace urr::payment
