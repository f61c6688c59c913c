// One seed from its first step to its verdict.
//
//     Outcome outcome = play(Plan::of(seed, Plant::none), {});
//     if (outcome.violation) ...
#pragma once
#include <optional>

#include "sim/faults.hpp"
#include "sim/plan.hpp"

namespace urr::sim {

struct TraceOptions {
    bool print = false, keep = false;
};

struct Outcome {
    std::optional<std::string> violation;
    FaultCounts faults;
    Duration simulated;
    std::uint64_t steps = 0, sales = 0;
    std::uint64_t digest = 0; // of the trace and of all disks
    std::string trace;        // when kept
};

Outcome play(const Plan& plan, TraceOptions options);

} // namespace urr::sim
