#include "sim/plan.hpp"

#include "libs/core/random.hpp"

namespace urr::sim {

Plan Plan::of(std::uint64_t seed, Plant plant) {
    SeededRandom random(seed * 0x9E3779B97F4A7C15ull + 1);
    Plan p;
    p.seed = seed;
    p.plant = plant;
    p.fans = int(random.between(5, 14));
    p.seats = int(random.between(3, 10));
    p.seats_per_person = int(random.between(1, 3));
    p.threshold = random.between(1, 6);
    p.hold = random.chance(300) ? seconds(random.between(3, 10)) : seconds(random.between(15, 60));
    p.active = seconds(random.between(30, 90));
    p.one_machine = random.chance(300);
    p.room = !random.chance(100);
    p.abandon = unsigned(random.below(30));
    p.two_tabs = unsigned(random.below(50));
    p.forgers = unsigned(random.below(30));
    p.thieves = unsigned(random.below(40));
    p.bad_cards = unsigned(random.below(80));
    p.crashes = random.chance(100) ? 0 : int(random.between(1, 8));
    p.trouble = seconds(random.between(20, 90));
    p.network_permille = random.chance(300) ? 0 : unsigned(random.below(80));
    p.bank_permille = random.chance(300) ? 0 : unsigned(random.below(250));
    p.redelivered_permille = unsigned(random.below(300));
    p.clock_jumps = random.chance(400);
    p.full_disks = random.chance(300);
    p.failed_syncs = random.chance(300);
    p.levers = random.chance(500);
    p.slow_payers = unsigned(random.below(70));
    return p;
}

} // namespace urr::sim
