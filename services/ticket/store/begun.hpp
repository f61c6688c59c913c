// begin-payment takes effect once per attempt. A copy of the request that comes late, after the
// attempt had its outcome or was refused, must not begin it again: nobody would ever settle it, and
// the seats would be in payment for good. So each attempt that began or was refused is noted, in
// the inbox, in the same transaction.
#pragma once
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

struct BegunOnce {
    Begun begun;
    bool in_progress = false; // another attempt is under way: refused, and for good
};
// As begin_payment; RESERVATION_NOT_PENDING for an attempt that is over.
Task<Result<BegunOnce>> begin_payment_once(Tx& tx, ReservationId id, PaymentId attempt);

} // namespace urr::ticket
