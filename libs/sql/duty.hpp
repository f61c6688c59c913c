// Duty: a job that one of several processes on a store does at a time (a sweep, a settling), while
// the others wait to take over.
//
//     Duty duty(database, "sweep", instance);
//     for (;;) { if (co_await duty.mine()) co_await one_round(); co_await sleep(…); }
//
// It is a lease that is renewed as rounds come; who dies or is cut off from the store is followed
// after `length`. A round that outlasts the lease may meet another process's, so its effects are
// fit for that: by the states of rows, or in a transaction with check_fence(tx, name, fence()).
// One loop; one task at a time.
#pragma once
#include <string>

#include "libs/sql/lease.hpp"

namespace urr {

class Duty {
public:
    // `holder` is this process's alone among those on the store. The database has the shared
    // tables.
    Duty(Database& database, std::string name, std::string holder, Duration length = seconds(10))
        : database_(database), name_(std::move(name)), holder_(std::move(holder)), length_(length) {
    }

    // Takes or renews it where need be. False: another process does it, or the store is away and
    // what was ours has run out.
    Task<bool> mine();
    // Still ours, by this process's own clock: false also for one that was stopped for long.
    bool held() const;
    std::int64_t fence() const { return lease_.fence; }
    // Lets others in at once; it is not ours again.
    Task<> give_up();

private:
    Database& database_;
    const std::string name_, holder_;
    const Duration length_;
    Lease lease_{};
    Instant until_{}; // of the loop's clock
    bool given_up_ = false;
};

} // namespace urr
