// The sandbox's way to payment's webhook: signed and sent over a transport, as a provider outside
// would, so that what it tells is checked as what anybody tells.
#pragma once
#include "libs/contract/caller.hpp"
#include "libs/core/clock.hpp"
#include "services/payment/sandbox_acquirer.hpp"

namespace urr::payment {

class SignedCallbacks final : public CallbackReceiver {
public:
    SignedCallbacks(Transport& payment, CallerKey caller, HmacKey secret, const Clock& clock)
        : payment_(payment), caller_(std::move(caller)), secret_(secret), clock_(clock) {}
    // An error unless it was accepted.
    Task<Result<void>> receive(Context context, Callback callback) override;

private:
    Transport& payment_;
    const CallerKey caller_;
    const HmacKey secret_;
    const Clock& clock_;
};

} // namespace urr::payment
