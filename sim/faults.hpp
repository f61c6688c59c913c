// What goes wrong, counted by kind: every part that plants faults counts them here.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace urr::sim {

enum class Fault : std::uint8_t {
    power_cut,
    kill,
    restart_failed,
    clock_jump,
    disk_full,
    sync_failure,
    request_lost,
    answer_lost,
    request_doubled,
    connection_broken,
    card_answer_lost,
    card_request_lost,
    card_late,
    event_redelivered,
};
inline constexpr std::size_t fault_kinds = 14;
inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "power cuts",        "kills",
    "failed restarts",   "clock jumps",
    "full disks",        "failed syncs",
    "lost requests",     "lost answers",
    "doubled requests",  "cut connections",
    "lost card answers", "lost card requests",
    "late captures",     "redelivered events"};

struct FaultCounts {
    std::array<std::uint64_t, fault_kinds> of{};
    void add(Fault fault, std::uint64_t n = 1) { of[std::size_t(fault)] += n; }
};

} // namespace urr::sim
