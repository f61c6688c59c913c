#include "sim/weather.hpp"

#include <algorithm>

namespace urr::sim {

void Machine::doom() {
    if (!up() || doomed_) return;
    Random& random = around_.world.random();
    doomed_ = true;
    doom_at_ = around_.world.now() + milliseconds(random.between(0, 5'000));
    aims_ = random.chance(700); // else at that instant, whatever is going on
}

// While a request is being served: in the middle of what it writes.
void Machine::aim() {
    if (around_.network.serving() == 0) return;
    Random& random = around_.world.random();
    aims_ = false;
    SimDisk& disk = processes_[random.below(processes_.size())]->disk();
    SimDisk::Faults faults;
    faults.die_at = disk.counters().operations + random.between(1, 12);
    disk.set(faults);
}

void Machine::set_disk(bool full, bool failing_syncs) {
    full_ = full;
    failing_syncs_ = failing_syncs;
    for (Process* process : processes_) {
        SimDisk::Faults faults;
        if (full) faults.bytes_max = process->disk().counters().bytes_used;
        if (failing_syncs) faults.sync_fails_permille = 30;
        process->disk().set(faults);
    }
}

void Machine::start() {
    rise_at_ = around_.world.now();
    rise();
}

void Machine::after_step() {
    if (state_ == State::up) {
        if (doomed_ && aims_) aim();
        bool dies = doomed_ && around_.world.now() >= doom_at_;
        for (const Process* process : processes_)
            dies = dies || const_cast<Process*>(process)->disk().dead() || !process->healthy();
        if (dies) begin_to_die();
    } else if (state_ == State::dying) {
        if (steps_left_-- == 0) fall();
    } else if (around_.world.now() >= rise_at_) {
        rise();
    }
}

// The disk is dead; what runs lives on a little, and what it still says must be true.
void Machine::begin_to_die() {
    for (Process* process : processes_) process->disk().die();
    state_ = State::dying;
    steps_left_ = around_.world.random().below(41);
}

void Machine::fall() {
    Random& random = around_.world.random();
    const bool power = random.chance(600);
    around_.counts.add(power ? Fault::power_cut : Fault::kill);
    for (Process* process : processes_) {
        process->disk().die();
        process->kill();
        power ? process->disk().power_cut() : process->disk().process_killed();
        around_.trace.note(process->name() + (power ? " loses power" : " is killed"));
    }
    state_ = State::down;
    doomed_ = false;
    rise_at_ = around_.world.now() + milliseconds(random.between(10, 3'000));
}

void Machine::rise() {
    set_disk(full_, failing_syncs_);
    state_ = State::up;
    for (Process* process : processes_) {
        if (process->start()) continue;
        around_.counts.add(Fault::restart_failed);
        around_.trace.note(process->name() + " cannot start");
        begin_to_die();
        for (Process* each : processes_) {
            each->kill();
            each->disk().power_cut();
        }
        state_ = State::down;
        rise_at_ = around_.world.now() + seconds(1);
        return;
    }
}

void Weather::start_machines() {
    for (auto& machine : machines_) machine->start();
}

void Weather::begin() {
    const Plan& plan = around_.plan;
    crashes_left_ = plan.crashes;
    until_ = around_.world.now() + plan.trouble;
    next_ = around_.world.now();
    around_.network.set({.lost_request_permille = plan.network_permille / 2,
                         .lost_answer_permille = plan.network_permille,
                         .doubled_permille = plan.network_permille,
                         .delay_us_max = plan.network_permille ? 200'000 : 2'000});
    bank_.set_trouble(plan.bank_permille);
}

void Weather::after_step() {
    for (auto& machine : machines_) machine->after_step();
    const Instant now = around_.world.now();
    if (!over_ && now >= until_) end();
    if (over_ || now < next_) return;
    act();
    next_ = now + milliseconds(random_.between(500, 8'000));
}

void Weather::act() {
    const Plan& plan = around_.plan;
    Machine& machine = *machines_[random_.below(machines_.size())];
    switch (random_.below(5)) {
    case 0:
    case 1:
        if (crashes_left_ == 0) break;
        --crashes_left_;
        for (auto& each : machines_)
            if (each.get() == &machine || random_.chance(200)) each->doom();
        break;
    case 2:
        if (plan.clock_jumps) turn_clock();
        break;
    case 3:
        if (plan.full_disks && random_.chance(500)) {
            around_.counts.add(Fault::disk_full);
            around_.trace.note("a disk is full");
            machine.set_disk(true, false);
        } else {
            machine.set_disk(false, false);
        }
        break;
    default:
        if (plan.failed_syncs) machine.set_disk(false, random_.chance(400));
    }
}

void Weather::turn_clock() {
    const std::uint64_t kind = random_.below(10);
    const std::int64_t most_s = kind < 6 ? 5 : kind < 9 ? 120 : 3'600;
    const Duration by = milliseconds(random_.between(-most_s * 1'000, most_s * 1'000));
    around_.clock.turn(by);
    clock_turned_ = around_.world.now();
    around_.counts.add(Fault::clock_jump);
    around_.trace.note("the clock is turned by " + std::to_string(by.us / 1'000) + " ms");
}

void Weather::end() {
    over_ = true;
    around_.network.set({});
    bank_.set_trouble(0);
    for (auto& machine : machines_) machine->set_disk(false, false);
    around_.trace.note("the trouble is over");
}

bool Weather::calm() const {
    return over_ && std::ranges::all_of(machines_, [](const auto& m) { return m->up(); });
}

void Weather::cut_power() {
    for (auto& machine : machines_) machine->doom_now();
}

} // namespace urr::sim
