// The waiting room as a part of the program: what it needs, what it hands out.
//
//     Options options = TRY_PLAIN(read_options(settings));      // and its keys
//     Component rooms(database, loops, clock, random, options);
//     TRY(co_await rooms.open(context));             // on the first loop; loads the rooms
//     rooms.start_jobs(jobs);                        // on the first loop, until close()
//     listen_http(loop, address, 3006, rooms.door(i), limits);   // per loop
//
// `migrate(database, migrations)` comes first. In a database one process holds the rooms, which it
// claims where others reach it; several share them in a CommonStore.
#pragma once
#include <memory>
#include <vector>

#include "libs/contract/component.hpp"
#include "libs/core/settings.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/sole_process.hpp"
#include "services/waiting_room/http/door.hpp"
#include "services/waiting_room/store/common_store.hpp"
#include "services/waiting_room/store/room_store.hpp"

namespace urr::waiting_room {

inline constexpr std::string_view service_name = "vwr";

inline constexpr SettingRow settings[] = {
    {"URR_ASSIGN_BURST", Kind::number, "1000", "numbers that one address may take at once"},
    {"URR_ASSIGN_PER_SECOND", Kind::number, "50", "numbers a second and address after that"},
    {"URR_RATE_PER_MINUTE", Kind::number, "500", "people let in a minute by the waiting room"},
    {"URR_DYNAMODB_COUNTERS", Kind::text, "",
     "table in which processes share the rooms; empty: one process keeps them in its store"},
    {"URR_DYNAMODB_POSITIONS", Kind::text, "urr-vwr-positions", "table of the blocks of places"},
    {"URR_DYNAMODB_ENDPOINT", Kind::text, "", "address of DynamoDB; empty: the region's"},
    {"URR_RATE_ADAPTIVE", Kind::yes_no, "no", "let in what the queue can take instead"},
};

struct Options {
    RateRule rate;
    DoorSettings door;
    ReceiptKeys receipt_keys;
    SigningKey token_key; // TokenType::vwr
    CallerKeys callers;   // queue's key for vwr
    // This process, in the lease of the rooms; empty: no other one reaches their database.
    std::string sole_holder;
};
// All but the keys. UNAVAILABLE with a text for the operator when a setting cannot be used.
Result<Options> read_options(const urr::Settings& given);

std::span<const Migration> migrations();

class Component final : public ServiceComponent {
public:
    // `loops`: all that will serve; the first is the keeper's home.
    Component(Database& database, std::vector<Loop*> loops, const Clock& clock, Random& random,
              Options options);
    // Shares its rooms with other processes.
    Component(std::unique_ptr<CommonStore> store, std::vector<Loop*> loops, const Clock& clock,
              Random& random, Options options);

    std::string_view name() const override { return service_name; }
    HttpHandler& face() { return door(0); }
    const Router* router() const override { return &doors_[0]->router(); }
    Door& door(std::size_t loop) { return *doors_[loop]; }

    Task<Result<void>> claim() override;
    std::string_view must_end() const override {
        return sole_ ? sole_->must_end() : std::string_view();
    }
    Task<Result<void>> open(Context context) override { return keeper_->open(context); }
    void start_jobs(Nursery& jobs) override;
    // Ends the leases, so that what is left of them is known to be void.
    Task<> close(Context context) override;
    // Any thread.
    void append_metrics(MetricsText& out) const override;
    // False when the last write to the store failed: places cannot be given. Any thread.
    bool healthy() const override { return keeper_->healthy(); }

private:
    Task<> run();

    Options options_;
    void open_doors(const std::vector<Loop*>& loops, const Clock& clock, Random& random);

    std::unique_ptr<SoleProcess> sole_; // nullptr: nobody else can have the rooms, or several may
    std::unique_ptr<RoomStore> store_;  // one of the two
    std::unique_ptr<CommonStore> common_store_;
    RoomTable table_;
    std::unique_ptr<Keeper> keeper_;
    WaitingRoom rooms_;
    std::vector<std::unique_ptr<Door>> doors_;
    Gate ended_; // the keeper has written its last
};

} // namespace urr::waiting_room
