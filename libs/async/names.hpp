// The addresses of a host's name, looked up without keeping a loop.
//
//     std::unique_ptr<Names> names = system_names(loop);
//     std::vector<std::string> addresses = TRY(co_await names->look_up(context, "db.example"));
//
// Whoever connects asks again each time, or keeps the answer for a bound (HostAddresses): managed
// services move by changing what their name means, and the system does not say how long an answer
// holds. UNAVAILABLE: no such name, or nobody answers; DEADLINE_EXCEEDED. One loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "libs/async/context.hpp"
#include "libs/async/loop.hpp"
#include "libs/async/nursery.hpp"
#include "libs/async/task.hpp"
#include "libs/core/result.hpp"

namespace urr {

class Names {
public:
    virtual ~Names() = default;
    // At least one, in the order in which they are to be tried. An address is its own.
    virtual Task<Result<std::vector<std::string>>> look_up(Context context, std::string host) = 0;
};

// What the system's resolver says, on a thread of its own.
std::unique_ptr<Names> system_names(RunLoop& loop);

// One host's addresses, kept for a while. When they are older they are looked up anew beside the
// work; until the answer comes, and while none comes, the old ones are used. Those that are doubted
// are looked up before they are used, but an answer is waited for only briefly: names that are not
// answered keep nobody from a server that is there.
class HostAddresses {
public:
    static constexpr Duration kept = seconds(30);
    static constexpr Duration asked_again = seconds(1);       // at the soonest, after a failure
    static constexpr Duration patience = seconds(5);          // for one answer
    static constexpr Duration waited_for = milliseconds(300); // by who knows some already

    HostAddresses(Names& names, std::string host) : names_(names), host_(std::move(host)) {}

    // UNAVAILABLE when none are known yet and none can be found.
    Task<Result<std::vector<std::string>>> get(Context context);
    // None of them could be reached: the next `get` looks them up.
    void doubt() { doubted_ = true; }
    // One of them was reached.
    void trust() { doubted_ = false; }

private:
    Task<> look_up();

    Names& names_;
    const std::string host_;
    std::vector<std::string> addresses_;
    std::string trouble_;
    Instant asked_{-1'000'000'000'000};
    bool doubted_ = false, failed_ = false, looking_ = false;
    Gate answered_;
    Nursery tasks_; // last: its task uses all of the above
};

} // namespace urr
