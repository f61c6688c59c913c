// What one seed plays: how many fans at how many seats, under which rules, with how much trouble.
#pragma once
#include "libs/async/context.hpp"
#include "sim/plants.hpp"

namespace urr::sim {

struct Plan {
    std::uint64_t seed = 1;
    Plant plant = Plant::none;

    int fans = 0;
    int seats = 0;
    int seats_per_person = 2;
    std::int64_t threshold = 0; // active at once
    Duration hold, active;
    bool one_machine = false; // gateway and waiting room die together with the rest
    bool room = true;         // a waiting room stands before the event

    // Per cent of fans.
    unsigned abandon = 0, two_tabs = 0, forgers = 0, thieves = 0, bad_cards = 0, slow_payers = 0;

    int crashes = 0;
    Duration trouble; // faults happen so long; afterwards all must settle
    unsigned network_permille = 0, bank_permille = 0, redelivered_permille = 0;
    bool clock_jumps = false, full_disks = false, failed_syncs = false, levers = false;

    static Plan of(std::uint64_t seed, Plant plant);
};

} // namespace urr::sim
