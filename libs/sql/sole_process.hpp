// SoleProcess: of the processes that reach a store, the one that may keep in memory what the store
// says and change it by that. A lease with a name of its own, renewed from the claim on; whoever
// comes second is refused.
//
//     SoleProcess sole(database, {"line", "queue", lines_are_taken}, instance);
//     TRY(co_await sole.claim());                     // before anything is loaded
//     co_await sole.lost();                           // then must_end() says why
//     co_await sole.give_up();                        // at the end: others in at once
//
// One loop; its database outlives it.
#pragma once
#include "libs/async/nursery.hpp"
#include "libs/sql/duty.hpp"

namespace urr {

class SoleProcess {
public:
    static constexpr Duration length = seconds(6);   // of the lease of one that died
    static constexpr Duration patience = seconds(8); // of a claim: longer than that

    struct Claimed {
        std::string lease;        // its name
        std::string_view service; // a constant: whose it is, for the operator
        std::string_view taken;   // a constant: another process has it, and how several share it
    };

    // `holder`: as in a Duty; a process that died is followed at once by one of its name. The
    // database has the shared tables.
    SoleProcess(Database& database, Claimed claimed, std::string holder)
        : database_(database), service_(claimed.service), taken_(claimed.taken),
          duty_(database, std::move(claimed.lease), std::move(holder), length) {}

    // Once. From then on it is renewed, whatever else its caller waits for. UNAVAILABLE with
    // `taken` when another process still has it after `patience`: it lives; with the service's name
    // when the store is away for so long.
    Task<Result<void>> claim();
    // Ends when another process has taken it since the claim, which one that stood still for long
    // finds out so, and never once it was given up.
    Task<> lost() { (void)co_await lost_.wait(Context{}); }
    // `taken` once it is lost; empty before.
    std::string_view must_end() const { return lost_.is_open() ? taken_ : std::string_view(); }
    // Lets others in at once.
    Task<> give_up();

private:
    Task<> keep();

    Database& database_;
    const std::string_view service_, taken_;
    Duty duty_;
    Gate lost_;
    Nursery keeping_; // last: it uses all of the above
};

} // namespace urr
