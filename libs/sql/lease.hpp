// Leases: one process at a time does a job (relays an outbox, hands out numbers), and one that was
// replaced without knowing it does no harm, because each taking has a fence that only grows.
//
//     Lease lease = TRY(co_await acquire_lease(tx, "relay", holder, seconds(10)));
//     ...
//     TRY(co_await renew_lease(tx, "relay", lease.fence, seconds(10)));   // with each effect
//
// An effect stands in the transaction of a renewal or a check of its fence: CONFLICT undoes it when
// another has taken over. A holder that asks again (the same process, restarted) takes over at
// once.
#pragma once
#include "libs/sql/database.hpp"

namespace urr {

struct Lease {
    std::int64_t fence = 0;
    Instant until; // of the store's time
};

// CONFLICT while another holds it.
Task<Result<Lease>> acquire_lease(Tx& tx, std::string_view name, std::string_view holder,
                                  Duration length);
// CONFLICT when another took it since; a lease that ran out and was not taken is renewed.
Task<Result<Lease>> renew_lease(Tx& tx, std::string_view name, std::int64_t fence, Duration length);
// CONFLICT unless the fence is the latest.
Task<Result<void>> check_fence(Tx& tx, std::string_view name, std::int64_t fence);
// Lets others in at once; nothing when it was lost already.
Task<Result<void>> release_lease(Tx& tx, std::string_view name, std::int64_t fence);

} // namespace urr
