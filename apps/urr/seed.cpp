// urr seed: demo events.
#include <cstdio>

#include "apps/urr/commands.hpp"
#include "apps/urr/people.hpp"
#include "apps/urr/stores.hpp"
#include "libs/async/run_to_end.hpp"
#include "services/ticket/store/events.hpp"

namespace urr::app {

namespace {

// All or none: a seed that was cut off may be repeated.
constexpr auto create_work = [](Tx& tx,
                                const std::vector<ticket::Event>& events) -> Task<Result<bool>> {
    for (const ticket::Event& event : events)
        // By nobody who is signed in; the line in the log has the event's own id.
        TRY(co_await ticket::create_event(tx, event, {AccountId{}, MessageId{event.id.bytes}}));
    co_return true;
};
constexpr auto read_work = [](Tx& tx) { return ticket::all_events(tx); };

// Those that are there afterwards, or of `once` those that were there before.
Task<Result<std::vector<ticket::Event>>> create(Database& database,
                                                std::vector<ticket::Event> events, bool once) {
    if (once) {
        auto before = TRY(co_await database.read(Context{}, read_work));
        if (!before.empty()) co_return before;
    }
    TRY(co_await database.transact(Context{}, create_work, events));
    co_return events;
}

ticket::Event demo_event(std::string title, std::string venue, ticket::Layout layout, Instant now,
                         Random& random) {
    ticket::Event event;
    event.id = EventId::make(now, random);
    event.title = std::move(title);
    event.artist = "URR";
    event.venue = std::move(venue);
    event.event_at = now + hours(24 * 60);
    event.sale_start = now - seconds(1);
    event.sale_end = now + hours(24 * 30);
    event.published = true;
    event.room = true;
    event.layout = std::move(layout);
    return event;
}

std::vector<ticket::Event> rehearsal(std::int64_t seats, Instant now, Random& random) {
    return {demo_event("Rehearsal", "Anywhere", ticket::plain_layout(seats), now, random)};
}

std::vector<ticket::Event> demo_sales(Instant now, Random& random) {
    constexpr std::pair<const char*, const char*> sales[] = {
        {"Night of a thousand", "hall"}, {"Arena tour", "arena"}, {"Stadium finale", "stadium"}};
    std::vector<ticket::Event> events;
    for (const auto& [title, venue] : sales)
        events.push_back(demo_event(title, venue, *ticket::layout_template(venue), now, random));
    return events;
}

// On embedded stores a seeded installation may be served at once, so all of them are made;
// elsewhere `urr migrate` has made them, and only these two are written.
Roles roles_seeded(const Settings& settings) {
    if (!on_postgres(settings)) return {};
    Roles roles = Roles::none();
    roles.auth = roles.ticket = true;
    return roles;
}

} // namespace

int seed(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const bool once = take_flag(arguments, "--once");
    const std::int64_t seats = take_number(arguments, "--seats", 0, 0);
    if (!arguments.empty()) return wrong_use("seed: unknown argument " + arguments[0]);
    SystemClock clock;
    SystemRandom random;
    const auto loop = make_asio_loop();
    auto stores = Stores::open({settings, clock, random, *loop}, roles_seeded(settings));
    if (!stores) return failed(stores.error());
    const Instant now = clock.now();
    std::vector<ticket::Event> events =
        seats > 0 ? rehearsal(seats, now, random) : demo_sales(now, random);
    const auto there = run_to_end(*loop, create(*stores->ticket, std::move(events), once));
    if (!there) return failed(there.error());
    if (seats == 0)
        if (const auto people = seed_people(settings, *stores->auth); !people)
            return failed(people.error());
    for (const ticket::Event& event : *there)
        std::printf("%s  %s\n", event.id.text().c_str(), event.title.c_str());
    return 0;
}

} // namespace urr::app
