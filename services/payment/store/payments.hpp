// The works on orders, attempts and the ledger.
#pragma once
#include "libs/contract/events.hpp"
#include "libs/contract/page.hpp"
#include "libs/sql/idempotency.hpp"
#include "libs/sql/migrations.hpp"
#include "services/payment/domain/attempt.hpp"

namespace urr::payment {

extern const Migration migrations[2];

// cancelled: by the fan; preparing it again opens it again. captured is told by its attempt.
enum class OrderState : std::uint8_t { open = 0, withdrawn = 1, captured = 2, cancelled = 3 };

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

// PaymentRequested, or what was learnt by asking; once is enough. False: another is putting it just
// now, and nothing was done.
Task<Result<bool>> put_order(Tx& tx, Order order);
Task<Result<bool>> withdraw_order(Tx& tx, OrderId id);
Task<Result<Order>> find_order(Tx& tx, OrderId id);
// A cancelled order is open again.
Task<Result<Order>> reopen_order(Tx& tx, OrderId id);
// Ends an intent that is not captured: PAYMENT_ALREADY_CAPTURED, PAYMENT_OUTCOME_PENDING. Nothing
// else changes: the hold is ticket's.
Task<Result<Order>> cancel_order(Tx& tx, OrderId id);

struct Started {
    Attempt attempt;
    std::optional<KeptAnswer> answer; // of an earlier request with this key
};
// NOT_FOUND, PAYMENT_ALREADY_CAPTURED, PAYMENT_OUTCOME_PENDING (another attempt is under way),
// HOLD_EXPIRED (withdrawn), PAYMENT_NOT_READY (cancelled).
Task<Result<Started>> start_attempt(Tx& tx, PaymentId id, OrderId order, IdempotencyKey key);

// What an attempt came to, exactly once: with the ledger, the event and the answer by key. An
// attempt that has an outcome already keeps it, but money that comes after it becomes stray.
struct Settlement {
    PaymentId attempt;
    AttemptEvent event = AttemptEvent::captured;
    std::int64_t fence = 0;
    bool announce = true; // ticket was told to begin, so it is told the outcome
    MessageId message;
};
Task<Result<Attempt>> settle_attempt(Tx& tx, Settlement settlement);

// Money to be given back, once per payment; what was noted before stays. `order` is zero for money
// whose attempt nobody here has begun.
Task<Result<bool>> want_refund(Tx& tx, PaymentId payment);
Task<Result<bool>> note_unknown_money(Tx& tx, PaymentId payment, Won amount);
Task<Result<std::vector<PaymentId>>> wanted_refunds(Tx& tx, std::int64_t most);
// The provider has given it back: ledger, state and event, once. False: that was known.
Task<Result<bool>> note_refunded(Tx& tx, PaymentId payment, MessageId message);

Task<Result<Attempt>> find_attempt(Tx& tx, PaymentId id);
// One row more than the page has, where there is one.
Task<Result<std::vector<Attempt>>> attempts_of(Tx& tx, AccountId account, Page page);
// Those started longer ago than `age`: their outcome must be asked for.
Task<Result<std::vector<Attempt>>> unsettled(Tx& tx, Duration age, std::int64_t most);
// Entries whose postings do not sum to zero: none, ever.
Task<Result<std::int64_t>> ledger_faults(Tx& tx);

std::string attempt_json(const Attempt& attempt);

} // namespace urr::payment
