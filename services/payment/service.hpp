// payment's use cases. Confirm is a saga: the attempt is stored, ticket is asked to begin (which
// fences it), the acquirer captures, the outcome is stored with ledger and event. Each step
// survives a crash before and after it: what is still `started` later is settled by `reconcile`,
// from what the acquirer says, never by guessing.
#pragma once
#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "services/payment/domain/acquirer.hpp"
#include "services/payment/store/payments.hpp"

namespace urr::payment {

// ticket, as payment sees it.
class Tickets {
public:
    virtual ~Tickets() = default;
    virtual Task<Result<BegunPayment>> begin(Context context, OrderId order, PaymentId attempt) = 0;
    virtual Task<Result<Order>> order(Context context, OrderId id) = 0;
};

struct Parts {
    Database& database;
    const Clock& clock;
    Random& random;
    Acquirer& acquirer;
    Tickets& tickets;
    Duration reconcile_after = seconds(20); // longer than any request may take
    Duration reconcile_interval = seconds(5);
};

class Service final : public Consumer {
public:
    explicit Service(Parts parts) : parts_(parts) {}

    // The order, asked of ticket where its event has not come yet. NOT_FOUND for another's.
    Task<Result<Order>> prepare(Context context, OrderId id);
    // Captured, or: PAYMENT_DECLINED, PAYMENT_OUTCOME_PENDING, HOLD_EXPIRED, …
    Task<Result<Attempt>> confirm(Context context, OrderId id, std::string card,
                                  IdempotencyKey key);
    Task<Result<Attempt>> payment(Context context, PaymentId id);
    Task<Result<std::vector<Attempt>>> payments(Context context);

    Task<Result<void>> consume(Context context, Message message) override;
    // Settles what is still started; how many were.
    Task<Result<std::size_t>> reconcile(Context context, Duration older_than);
    Task<> run_jobs();

private:
    Task<Result<Attempt>> settle(Context context, PaymentId id, AttemptState to, std::int64_t fence,
                                 bool announce);
    Task<Result<void>> reconcile_one(Context context, Attempt attempt);

    Parts parts_;
};

} // namespace urr::payment
