// The sandbox acquirer: imaginary money, kept durably in a store of its own, so that what it took
// can be compared with what payment's ledger says. It calls back by itself, as providers do.
//
//     auto acquirer = make_sandbox_acquirer(database);
//     nursery.spawn(acquirer->run(callbacks));        // until destroyed
//
// Its answers are as durable as its store; it is asked and tells on one loop.
#pragma once
#include <memory>

#include "libs/sql/duty.hpp"
#include "libs/sql/migrations.hpp"
#include "services/payment/domain/acquirer.hpp"
#include "services/payment/domain/callback.hpp"

namespace urr::payment {

extern const Migration acquirer_migrations[1];

// Where the sandbox calls back to.
class CallbackReceiver {
public:
    virtual ~CallbackReceiver() = default;
    // An error means: again later.
    virtual Task<Result<void>> receive(Context context, Callback callback) = 0;
};

class SandboxAcquirer : public Acquirer {
public:
    explicit SandboxAcquirer(Database& database) : database_(database) {}

    Task<Result<Charge>> capture(Context context, PaymentId key, Won amount,
                                 std::string card) override;
    Task<Result<Charge>> look_up(Context context, PaymentId key) override;
    Task<Result<Charge>> void_key(Context context, PaymentId key) override;
    Task<Result<void>> refund(Context context, PaymentId key) override;

    // Calls back what is due; how many calls were made.
    Task<Result<std::size_t>> call_back(Context context, CallbackReceiver& to);
    // Does so whenever something is due.
    // `caller`: who calls back where several processes have this store; nullptr: this one alone.
    Task<> run(CallbackReceiver& to, Duty* caller = nullptr);

private:
    Database& database_;
};

std::unique_ptr<SandboxAcquirer> make_sandbox_acquirer(Database& database);

} // namespace urr::payment
