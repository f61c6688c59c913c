// The waiting room as a part of the program: what it needs, what it hands out.
//
//     Component rooms(database, loops, clock, random, settings);
//     TRY(co_await rooms.open(context));             // on the first loop; loads the rooms
//     nursery.spawn(rooms.run());                    // on the first loop, until stop()
//     listen_http(loop, address, 3006, rooms.door(i), limits);   // per loop
//
// `migrate(database, migrations)` comes first. On embedded engines one process holds the rooms.
#pragma once
#include <memory>
#include <vector>

#include "libs/sql/migrations.hpp"
#include "services/waiting_room/http/door.hpp"

namespace urr::waiting_room {

inline constexpr std::string_view service_name = "vwr";

struct Settings {
    RateRule rate;
    DoorSettings door;
    ReceiptKeys receipt_keys;
    SigningKey token_key; // TokenType::vwr
    CallerKeys callers;   // queue's key for vwr
};

std::span<const Migration> migrations();

class Component {
public:
    // `loops`: all that will serve; the first is the keeper's home.
    Component(Database& database, std::vector<Loop*> loops, const Clock& clock, Random& random,
              Settings settings);

    Task<Result<>> open(Context context) { return keeper_.open(context); }
    Task<> run() { return keeper_.run(); }
    void stop() { keeper_.stop(); }
    Door& door(std::size_t loop) { return *doors_[loop]; }
    // For /actuator/prometheus; any thread.
    void append_metrics(std::string& out) const;
    // False when the last write to the store failed: places cannot be given. Any thread.
    bool healthy() const { return keeper_.healthy(); }

private:
    Settings settings_;
    std::unique_ptr<RoomStore> store_;
    RoomTable table_;
    Keeper keeper_;
    WaitingRoom rooms_;
    std::vector<std::unique_ptr<Door>> doors_;
};

} // namespace urr::waiting_room
