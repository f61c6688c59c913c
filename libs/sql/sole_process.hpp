// SoleProcess: of the processes that reach a store, the one that may keep in memory what the store
// says and change it by that. A lease with a name of its own; whoever comes second is refused.
//
//     SoleProcess sole(database, "line", instance);
//     if (auto claimed = co_await sole.claim(); !claimed) ...      // before anything is loaded
//     co_await sole.keep();                                        // as long as it is ours
//     co_await sole.give_up();                                     // at the end: others in at once
//
// One loop.
#pragma once
#include "libs/sql/duty.hpp"

namespace urr {

class SoleProcess {
public:
    static constexpr Duration length = seconds(6);   // of the lease of one that died
    static constexpr Duration patience = seconds(8); // of a claim: longer than that

    // `holder`: as in a Duty; a process that died is followed at once by one of its name. The
    // database has the shared tables.
    SoleProcess(Database& database, std::string name, std::string holder)
        : database_(database), duty_(database, std::move(name), std::move(holder), length) {}

    // CONFLICT when another process still has it after `patience`: it lives. UNAVAILABLE when the
    // store is away for so long.
    Task<Result<void>> claim();
    // Renews it; ends when another process has taken it, which one that stood still for long finds
    // out so, and never once it was given up.
    Task<> keep();
    // Lets others in at once.
    Task<> give_up() {
        given_up_ = true;
        return duty_.give_up();
    }

private:
    Database& database_;
    Duty duty_;
    bool given_up_ = false;
};

} // namespace urr
