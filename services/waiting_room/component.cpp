#include "services/waiting_room/component.hpp"

#include "services/waiting_room/common_keeper.hpp"
#include "services/waiting_room/sole_keeper.hpp"

namespace urr::waiting_room {

namespace {

constexpr std::string_view rooms_are_taken =
    "another process keeps the rooms in vwr's database: several share them in DynamoDB alone "
    "(URR_DYNAMODB_COUNTERS)";

} // namespace

std::span<const Migration> migrations() {
    static const Migration all[] = {{1, "waiting rooms and their leases", room_tables},
                                    {2, "first position of the phase", room_phases},
                                    {3, "shared tables", shared_tables}};
    return all;
}

Result<Options> read_options(const urr::Settings& given) {
    Options options;
    options.rate.adaptive = given.yes("URR_RATE_ADAPTIVE");
    options.rate.base_per_minute = std::uint32_t(given.number("URR_RATE_PER_MINUTE"));
    options.door.secure_cookies = given.yes("URR_SECURE_COOKIES");
    options.door.assign_limit.burst = std::uint32_t(given.number("URR_ASSIGN_BURST"));
    options.door.assign_limit.per_second = std::uint32_t(given.number("URR_ASSIGN_PER_SECOND"));
    auto trusted = TrustedProxies::parse(given.text("URR_TRUSTED_PROXIES"));
    if (!trusted)
        return fail(Code::UNAVAILABLE,
                    "URR_TRUSTED_PROXIES: " + std::string(trusted.error().text()));
    options.door.trusted = std::move(*trusted);
    return options;
}

Component::Component(Database& database, std::vector<Loop*> loops, const Clock& clock,
                     Random& random, Options options)
    : options_(std::move(options)), store_(make_sql_room_store(database)), table_(loops),
      keeper_(std::make_unique<SoleKeeper>(*loops.front(), table_, *store_, random, options_.rate)),
      rooms_(table_, *keeper_, clock, random, options_.receipt_keys, options_.token_key) {
    if (!options_.sole_holder.empty())
        sole_ = std::make_unique<SoleProcess>(
            database, SoleProcess::Claimed{"rooms", service_name, rooms_are_taken},
            options_.sole_holder);
    open_doors(loops, clock, random);
}

Component::Component(std::unique_ptr<CommonStore> store, std::vector<Loop*> loops,
                     const Clock& clock, Random& random, Options options)
    : options_(std::move(options)), common_store_(std::move(store)), table_(loops),
      keeper_(std::make_unique<CommonKeeper>(*loops.front(), table_, *common_store_, random,
                                             options_.rate)),
      rooms_(table_, *keeper_, clock, random, options_.receipt_keys, options_.token_key) {
    open_doors(loops, clock, random);
}

void Component::open_doors(const std::vector<Loop*>& loops, const Clock& clock, Random& random) {
    for (Loop* loop : loops)
        doors_.push_back(std::make_unique<Door>(rooms_, options_.callers, clock, *loop,
                                                options_.door, random.next()));
}

// Who opens the store takes the rooms from whoever has them, and that one gives no more places.
Task<Result<void>> Component::claim() {
    if (sole_) TRY(co_await sole_->claim());
    co_return Result<void>{};
}

void Component::start_jobs(Nursery& jobs) { jobs.spawn(run()); }

Task<> Component::run() {
    co_await keeper_->run();
    ended_.open();
}

Task<> Component::close(Context context) {
    keeper_->stop();
    (void)co_await ended_.wait(context);
    if (sole_) co_await sole_->give_up();
}

void Component::append_metrics(MetricsText& out) const {
    Figures figures{keeper_->counters(), {}};
    for (const auto& door : doors_) {
        const DoorCounters& c = door->counters();
        figures.doors.assigned += c.assigned.load(std::memory_order_relaxed);
        figures.doors.repeated += c.repeated.load(std::memory_order_relaxed);
        figures.doors.checked += c.checked.load(std::memory_order_relaxed);
        figures.doors.admitted += c.admitted.load(std::memory_order_relaxed);
        figures.doors.statuses += c.statuses.load(std::memory_order_relaxed);
        figures.doors.limited += c.limited.load(std::memory_order_relaxed);
    }
    figures.write(out);
}

} // namespace urr::waiting_room
