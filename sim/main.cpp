// urr-sim: plays on-sales by seed in one thread on simulated time, network, disks and bank.
#include <sodium.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "sim/run.hpp"

namespace {

using namespace urr::sim;

constexpr const char* help =
    R"(urr-sim - plays whole on-sales by seed, with crashes, and checks the promises of the product

usage: urr-sim [--seeds N] [--seed S] [--plant BUG] [--trace]
       urr-sim --plants [--seeds N]

  --seeds N    so many seeds (default 100, or 1 with --seed)
  --seed S     begin with seed S (default 1)
  --plant BUG  plant a real bug: the run must fail
  --trace      print what happens, line by line: seconds, step, what
  --plants     plant each bug in turn and print how many seeds it took to find it;
               fails when one is not found within N seeds (default 200)
  --help       this text

Exit status: 0 no promise was broken (with --plants: each bug was found), 1 otherwise, 2 wrong use.
)";

struct Options {
    std::uint64_t seeds = 0, seed = 0;
    Plant plant = Plant::none;
    bool trace = false, all_plants = false, help = false;
};

int wrong_use(const char* what, const char* which) {
    std::fprintf(stderr, "urr-sim: %s%s (urr-sim --help)\n", what, which);
    return 2;
}

bool read_number(const char* text, std::uint64_t& to) {
    const char* end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, to);
    return error == std::errc{} && rest == end && to > 0;
}

// 0, or the exit status.
int read_options(int count, char** values, Options& options) {
    for (int i = 1; i < count; ++i) {
        const std::string_view name = values[i];
        if (name == "--trace" || name == "--plants" || name == "--help") {
            (name == "--trace"  ? options.trace
             : name == "--help" ? options.help
                                : options.all_plants) = true;
            continue;
        }
        if (name != "--seeds" && name != "--seed" && name != "--plant")
            return wrong_use("unknown option ", values[i]);
        if (i + 1 == count) return wrong_use("a value is missing after ", values[i]);
        const char* value = values[++i];
        if (name == "--plant") {
            const auto plant = find_plant(value);
            if (!plant) return wrong_use("unknown bug ", value);
            options.plant = *plant;
        } else if (!read_number(value, name == "--seeds" ? options.seeds : options.seed)) {
            return wrong_use("not a number above zero: ", value);
        }
    }
    return 0;
}

void report_failure(const Plan& plan, const std::string& what) {
    std::printf("seed %llu: %s\nrepeat: build/release/urr-sim --seed %llu%s%s --trace\n",
                static_cast<unsigned long long>(plan.seed), what.c_str(),
                static_cast<unsigned long long>(plan.seed),
                plan.plant == Plant::none ? "" : " --plant ",
                plan.plant == Plant::none ? "" : std::string(info_of(plan.plant).name).c_str());
}

int play_seeds(const Options& options) {
    const std::uint64_t first = options.seed ? options.seed : 1;
    const std::uint64_t seeds = options.seeds ? options.seeds : options.seed ? 1 : 100;
    const auto began = std::chrono::steady_clock::now();
    FaultCounts faults;
    std::uint64_t sales = 0, steps = 0, played = 0;
    std::int64_t simulated_us = 0;
    bool failed = false;
    for (; played < seeds && !failed; ++played) {
        const Plan plan = Plan::of(first + played, options.plant);
        const Outcome outcome = play(plan, {.print = options.trace});
        for (std::size_t i = 0; i < fault_kinds; ++i) faults.of[i] += outcome.faults.of[i];
        sales += outcome.sales;
        steps += outcome.steps;
        simulated_us += outcome.simulated.us;
        failed = outcome.violation.has_value();
        if (failed) report_failure(plan, *outcome.violation);
    }
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::printf(
        "%llu seeds, %.1f a second; %.1f hours simulated in %llu steps; %llu sales\nfaults:",
        static_cast<unsigned long long>(played), double(played) / took,
        double(simulated_us) / 3.6e9, static_cast<unsigned long long>(steps),
        static_cast<unsigned long long>(sales));
    for (std::size_t i = 0; i < fault_kinds; ++i)
        std::printf("%s %llu %s", i ? "," : "", static_cast<unsigned long long>(faults.of[i]),
                    std::string(fault_names[i]).c_str());
    std::printf("\n%s\n", failed ? "a promise was broken" : "no promise was broken");
    return failed;
}

int find_all_plants(const Options& options) {
    const std::uint64_t most = options.seeds ? options.seeds : 200;
    int missed = 0;
    for (const PlantInfo& planted : plants()) {
        std::uint64_t seed = 0;
        std::optional<std::string> violation;
        while (!violation && seed < most)
            violation = play(Plan::of(++seed, planted.plant), {}).violation;
        std::printf("%-28s %s\n", std::string(planted.name).c_str(),
                    violation
                        ? ("found by seed " + std::to_string(seed) + ": " + *violation).c_str()
                        : "not found");
        std::fflush(stdout);
        missed += !violation;
    }
    return missed != 0;
}

} // namespace

int main(int count, char** values) {
    if (sodium_init() < 0) return 1;
    Options options;
    if (const int status = read_options(count, values, options)) return status;
    if (options.help) {
        std::fputs(help, stdout);
        return 0;
    }
    return options.all_plants ? find_all_plants(options) : play_seeds(options);
}
