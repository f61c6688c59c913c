// The provider behind payment: one interface, with the sandbox below and real acquirers to come.
#pragma once
#include "libs/async/context.hpp"
#include "libs/async/task.hpp"
#include "libs/core/money.hpp"
#include "libs/core/result.hpp"

namespace urr::payment {

enum class Charge : std::uint8_t { approved, declined, pending, not_found };

class Acquirer {
public:
    virtual ~Acquirer() = default;
    // `key` is the provider's idempotency key: the same key never takes money twice. An error means
    // that nobody knows: look it up later.
    virtual Task<Result<Charge>> capture(Context context, PaymentId key, Won amount,
                                         std::string card) = 0;
    virtual Task<Result<Charge>> look_up(Context context, PaymentId key) = 0;
    // Afterwards the key can no longer capture; `approved` says that it did before.
    virtual Task<Result<Charge>> void_key(Context context, PaymentId key) = 0;
    // Idempotent.
    virtual Task<Result<void>> refund(Context context, PaymentId key) = 0;
};

} // namespace urr::payment
