// Everything that goes wrong with machines: they lose power or are killed, at a chosen operation of
// their disk or at any instant, and live on for a few steps while their disk is dead already; their
// clocks jump, their disks are full, syncs fail. All drawn from the seed; over at a given time.
#pragma once
#include "sim/bank.hpp"
#include "sim/process.hpp"

namespace urr::sim {

// Processes that lose power together.
class Machine {
public:
    Machine(Surroundings& around, std::vector<Process*> processes)
        : around_(around), processes_(std::move(processes)) {}

    bool up() const { return state_ == State::up; }
    // It dies at one of the next operations of one of its disks, or within seconds.
    void doom();
    void doom_now() {
        if (up()) begin_to_die();
    }
    void set_disk(bool full, bool failing_syncs);
    void start();
    void after_step();

private:
    enum class State : std::uint8_t { up, dying, down };
    void aim();
    void begin_to_die();
    void fall();
    void rise();
    std::uint64_t failed_syncs() const;

    Surroundings& around_;
    const std::vector<Process*> processes_;
    State state_ = State::down;
    bool doomed_ = false, aims_ = false;
    Instant doom_at_{}, rise_at_{};
    std::uint64_t steps_left_ = 0;
    bool full_ = false, failing_syncs_ = false;
};

class Weather {
public:
    Weather(Surroundings& around, std::vector<std::unique_ptr<Machine>> machines, Bank& bank)
        : around_(around), machines_(std::move(machines)), bank_(bank),
          random_(around.world.random().next()) {}

    void start_machines();
    // Trouble from now on, for as long as the plan says.
    void begin();
    void after_step();
    // No more trouble, and every machine is up.
    bool calm() const;
    bool over() const { return over_; }
    // The last time a clock was turned.
    Instant clock_turned() const { return clock_turned_; }
    // Power is cut everywhere, once.
    void cut_power();

private:
    void act();
    void turn_clock();
    void end();

    Surroundings& around_;
    std::vector<std::unique_ptr<Machine>> machines_;
    Bank& bank_;
    SeededRandom random_;
    Instant next_ = never, until_ = never, clock_turned_{};
    int crashes_left_ = 0;
    bool over_ = false;
};

} // namespace urr::sim
