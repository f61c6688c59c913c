// Real bugs, planted on purpose: each is a mistake that somebody could make, and the simulator must
// find it. They are planted from outside, by options, wrappers and triggers in the stores, so that
// the services know nothing of them.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace urr::sim {

enum class Plant : std::uint8_t {
    none,
    skip_the_fence,
    acknowledge_before_commit,
    deliver_twice,
    spend_a_receipt_twice,
    forget_a_place,
    sync_off,
    forget_the_high_water_mark,
    lose_an_event,
    free_a_sold_seat,
    forget_a_hold,
    unbalance_the_ledger,
    run_ahead,
};

struct PlantInfo {
    Plant plant;
    std::string_view name;
    std::string_view meaning;
    // Triggers, made once, in the store of that name.
    const char* store = nullptr;
    const char* script = nullptr;
};
std::span<const PlantInfo> plants();
const PlantInfo& info_of(Plant plant);
std::optional<Plant> find_plant(std::string_view name);

} // namespace urr::sim
