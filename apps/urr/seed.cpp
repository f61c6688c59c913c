// urr seed: demo events.
#include <cstdio>

#include "apps/urr/commands.hpp"
#include "apps/urr/stores.hpp"
#include "libs/async/nursery.hpp"
#include "services/ticket/store/events.hpp"

namespace urr::app {

namespace {

constexpr auto create_work = [](Tx& tx, const ticket::Event& event) {
    // By nobody who is signed in; the line in the log has the event's own id.
    return ticket::create_event(tx, event, {AccountId{}, MessageId{event.id.bytes}});
};

Task<> create(Database& database, std::vector<ticket::Event> events, RunLoop& loop, int& status) {
    for (ticket::Event& event : events) {
        const EventId id = event.id;
        const std::string title = event.title;
        auto made = co_await database.transact(Context{}, create_work, std::move(event));
        if (!made) {
            status = failed(made.error());
            break;
        }
        std::printf("%s  %s\n", id.text().c_str(), title.c_str());
    }
    loop.stop();
}

ticket::Event demo_event(std::string title, std::string venue, ticket::Layout layout, bool room,
                         Instant now, Random& random) {
    ticket::Event event;
    event.id = EventId::make(now, random);
    event.title = std::move(title);
    event.artist = "URR";
    event.venue = std::move(venue);
    event.event_at = now + hours(24 * 60);
    event.sale_start = now - seconds(1);
    event.sale_end = now + hours(24 * 30);
    event.published = true;
    event.room = room;
    event.layout = std::move(layout);
    return event;
}

} // namespace

int seed(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const std::int64_t seats = take_number(arguments, "--seats", 0, 0);
    if (!arguments.empty()) return wrong_use("seed: unknown argument " + arguments[0]);
    SystemClock clock;
    SystemRandom random;
    auto stores = Stores::open(settings.text("URR_DATA"), clock);
    if (!stores) return failed(stores.error());
    std::vector<ticket::Event> events;
    const Instant now = clock.now();
    if (seats > 0) {
        events.push_back(
            demo_event("Rehearsal", "Anywhere", ticket::plain_layout(seats), true, now, random));
    } else {
        events.push_back(demo_event("Night of a thousand", "Hall", *ticket::layout_template("hall"),
                                    true, now, random));
        events.push_back(demo_event("Arena tour", "Arena", *ticket::layout_template("arena"), true,
                                    now, random));
        events.push_back(demo_event("Stadium finale", "Stadium",
                                    *ticket::layout_template("stadium"), true, now, random));
    }
    auto loop = make_asio_loop();
    int status = 0;
    Loop::Enter in(loop.get());
    Nursery nursery;
    nursery.spawn(create(*stores->ticket, std::move(events), *loop, status));
    loop->run();
    *stores = Stores{};
    return status;
}

} // namespace urr::app
