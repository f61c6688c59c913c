// queue as a part of the program: what it needs, what it hands out.
//
//     queue::Component line(settings, {database, log, …, to_catalog, revoked, to_waiting_room, …});
//
// `migrate(database, migrations)` comes first. One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/events.hpp"
#include "libs/contract/evidence/publisher.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/settings.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/sql/sole_process.hpp"
#include "libs/telemetry/log.hpp"
#include "services/queue/catalog_client.hpp"
#include "services/queue/forgetting.hpp"
#include "services/queue/http/routes.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "services/queue/store/sql_lines.hpp"

namespace urr::queue {

inline constexpr SettingRow settings[] = {
    {"URR_THRESHOLD", Kind::number, "1000", "people who may choose seats at once, per event"},
    {"URR_ADMITTED_PER_SECOND", Kind::number, "500", "people admitted to the seats a second"},
    {"URR_QUEUE_GATHER_SECONDS", Kind::number, "60",
     "seconds without admissions after queue's store was lost, while places are shown again"},
    {"URR_QUEUE_SHARED", Kind::yes_no, "no",
     "lines stand in Redis (URR_REDIS_URLS), and several processes share them"},
    {"URR_QUEUE_STREAMS", Kind::number, "20000", "streams of lines that a process keeps open"},
};

struct Needs {
    Database& database;
    EventLog& log_of_events;
    const Clock& clock;
    Random& random;
    Log& log;
    Transport& catalog;
    CallerKey catalog_key; // queue's key for catalog
    RevokedEntries& revoked;
    Transport& waiting_room;
    CallerKey waiting_room_key; // queue's key for vwr
    SigningKey entry_key, place_key;
    PublicKeys shown_keys;        // of vwr, place and entry, those that were replaced among them
    CallerKeys callers;           // gateway
    std::string holder;           // this process, in leases
    Redis* redis = nullptr;       // for lines that several processes share
    EvidenceTo evidence;          // what it tells the ledger; nowhere: there is none
    bool store_is_shared = false; // other processes reach it too: lines in it are one process's
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "queue"; }
    HttpHandler& face() { return face_; }
    const Router* router() const override { return &face_.router(); }

    // Lines that stand in a store which several processes reach are kept by one of them.
    Task<Result<void>> claim() override;
    std::string_view must_end() const override {
        return sole_ ? sole_->must_end() : std::string_view();
    }
    Task<Result<void>> open(Context context) override;
    void start_jobs(Nursery& jobs) override;
    // After open: the name under which the log is read belongs to this life of the store.
    std::vector<Subscription> subscriptions() override;
    Task<> close(Context context) override;
    void append_metrics(MetricsText& out) const override;
    bool healthy() const override { return database_.healthy(); }

private:
    std::unique_ptr<LineStore> make_lines(const Settings& given, const Needs& needs);
    Task<> carry();
    Task<> read_log();
    Task<> replace_readers(std::string group);
    Task<> stop_when_lost();

    Database& database_;
    CatalogClient events_;
    EventLog& log_;
    RedisLines* shared_ = nullptr; // `lines_`, where they are shared
    std::unique_ptr<LineStore> lines_;
    Service service_;
    Forgetting forgetting_;
    Routes routes_;
    GuardedService face_;
    Relay relay_;
    std::unique_ptr<EvidencePublisher> publisher_; // nullptr: there is no ledger
    std::unique_ptr<SoleProcess> sole_;            // nullptr: nobody else can have the lines
    Nursery ticks_; // of lines that are ours alone; last: it uses all of the above
};

} // namespace urr::queue
