// A simulated process: a loop, a disk, what runs on them while it lives, and where it listens. It
// is killed at any instant and started again; the loop and the disk stay.
#pragma once
#include "libs/sql/migrations.hpp"
#include "libs/sql/sim/sim_disk.hpp"
#include "sim/clock.hpp"
#include "sim/network.hpp"
#include "sim/plan.hpp"
#include "sim/trace.hpp"

namespace urr::sim {

// What all processes share: the world that they live in.
struct Surroundings {
    const Plan& plan;
    SimWorld& world;
    WallClock& clock;
    Network& network;
    FaultCounts& counts;
    Trace& trace;
};

class Process {
public:
    Process(Surroundings& around, std::string name)
        : around_(around), name_(std::move(name)), loop_(around.world),
          disk_(around.world.random().next(), around.clock) {}
    virtual ~Process() = default;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    const std::string& name() const { return name_; }
    SimDisk& disk() { return disk_; }
    Endpoint& endpoint() { return endpoint_; }
    bool alive() const { return alive_; }
    // Listens and does its jobs.
    bool ready() const { return endpoint_.handler != nullptr; }

    // False: it could not start (a disk that is full or dies); to be tried again.
    bool start() {
        Loop::Enter in(&loop_);
        alive_ = build();
        return alive_;
    }
    // All at once, as kill -9 does. The disk must be dead, or what closes would still write.
    void kill() {
        Loop::Enter in(&loop_);
        endpoint_ = {};
        alive_ = false;
        tear_down();
    }
    // A store that only a restart can mend.
    virtual bool healthy() const = 0;

protected:
    virtual bool build() = 0;
    virtual void tear_down() = 0;
    void listen(HttpHandler& handler, Nursery& nursery) {
        endpoint_ = {&handler, &loop_, &nursery};
    }
    // Opens and migrates a store on this process's disk; nullptr when that fails.
    std::unique_ptr<SqliteDatabase>
    open_store(const std::string& name, std::span<const Migration> migrations, Random& random);

    Surroundings& around_;
    const std::string name_;
    SimLoop loop_;
    SimDisk disk_;
    Endpoint endpoint_;
    bool alive_ = false;
};

} // namespace urr::sim
