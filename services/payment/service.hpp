// payment's use cases. Confirm is a saga: the attempt is stored, ticket is asked to begin (which
// fences it), the acquirer captures, the outcome is stored with ledger and event. Each step
// survives a crash before and after it: what is still `started` later is settled by `reconcile`,
// from what the acquirer says, never by guessing.
#pragma once
#include <set>

#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "libs/sql/duty.hpp"
#include "libs/telemetry/log.hpp"
#include "services/payment/domain/acquirer.hpp"
#include "services/payment/domain/callback.hpp"
#include "services/payment/metrics.hpp"
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
    Duration alarm_after = minutes(15); // an outcome that is unknown for so long needs a person
    Log* log = nullptr;                 // where alarms are written
    Duty* settler = nullptr;            // nullptr: no other process settles on this store
};

class Service final : public Consumer {
public:
    explicit Service(Parts parts) : parts_(parts) {}

    // The order, asked of ticket where its event has not come yet; open again if it was cancelled.
    // NOT_FOUND for another's.
    Task<Result<Order>> prepare(Context context, OrderId id);
    // Captured, or: PAYMENT_DECLINED, PAYMENT_OUTCOME_PENDING, HOLD_EXPIRED, AMOUNT_MISMATCH (with
    // what the fan was shown, or ticket), …
    Task<Result<Attempt>> confirm(Context context, OrderId id, std::string card,
                                  std::optional<Won> shown, IdempotencyKey key);
    // Ends an intent that is not captured, nothing else.
    Task<Result<Order>> cancel(Context context, OrderId id);
    Task<Result<Attempt>> payment(Context context, PaymentId id);
    Task<Result<std::vector<Attempt>>> payments(Context context, Page page);

    // What a provider tells; who it is was checked. Told again it changes nothing. AMOUNT_MISMATCH;
    // UNAVAILABLE, …: it shall tell again.
    Task<Result<void>> take(Context context, Callback callback);
    Metrics& metrics() { return metrics_; }
    const Metrics& metrics() const { return metrics_; }

    Task<Result<void>> consume(Context context, Message message) override;
    // Settles what is still started; how many were.
    Task<Result<std::size_t>> reconcile(Context context, Duration older_than);
    // Gives back what is to be given back; how much was.
    Task<Result<std::size_t>> give_back(Context context);
    Task<> run_jobs();

private:
    Task<Result<Order>> order_of_caller(Context context, OrderId id);
    Task<Result<Order>> put(Context context, Order asked);
    Task<Result<Attempt>> settle(Context context, PaymentId id, AttemptEvent event,
                                 std::int64_t fence, bool announce);
    Task<Result<Attempt>> repeat(Context context, KeptAnswer answer);
    Task<Result<void>> reconcile_one(Context context, Attempt attempt, std::optional<Charge> told);
    Task<Result<void>> check_ledger(Context context);
    void alarm(std::string_view what, PaymentId payment);
    void watch_age(const std::vector<Attempt>& unknown);

    Parts parts_;
    Metrics metrics_;
    std::set<PaymentId> alarmed_; // unknown for long, and said so
};

} // namespace urr::payment
