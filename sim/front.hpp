// The process at the door: the waiting room with its store, and the gateway before everything.
#pragma once
#include "services/gateway/gateway.hpp"
#include "services/waiting_room/component.hpp"
#include "sim/back.hpp"

namespace urr::sim {

class Front final : public Process {
public:
    explicit Front(Surroundings& around);
    ~Front() override;

    // Before the first start.
    void reaches(Back& back) { back_ = &back; }
    // Where queue steers the room.
    Endpoint& room() { return room_endpoint_; }
    bool healthy() const override;
    // For the checker: nullptr while the process is dead.
    SqliteDatabase* store() const;

private:
    struct Life;
    static Task<> run(Front& front, Life& life);
    bool build() override;
    void tear_down() override;

    Back* back_ = nullptr;
    Endpoint room_endpoint_;
    std::unique_ptr<Life> life_;
};

} // namespace urr::sim
