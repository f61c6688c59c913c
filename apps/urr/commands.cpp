#include "apps/urr/commands.hpp"

#include <sodium.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "apps/urr/keys.hpp"
#include "apps/urr/system.hpp"
#include "libs/core/must.hpp"

namespace urr::app {

namespace {

// Waits for SIGTERM or SIGINT on a thread of its own and stops the system on its loop.
class Signals {
public:
    Signals(RunLoop& loop, System& system) : system_(system) {
        request_.signals = this;
        thread_ = std::thread([this, &loop] {
            sigset_t wanted;
            sigemptyset(&wanted);
            sigaddset(&wanted, SIGTERM);
            sigaddset(&wanted, SIGINT);
            sigaddset(&wanted, SIGUSR2); // our own: the loop has ended
            int which = 0;
            sigwait(&wanted, &which);
            if (which != SIGUSR2) loop.post(request_);
        });
    }
    ~Signals() {
        pthread_kill(thread_.native_handle(), SIGUSR2);
        thread_.join();
    }
    static void block() {
        sigset_t wanted;
        sigemptyset(&wanted);
        for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) sigaddset(&wanted, signal);
        pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
        std::signal(SIGPIPE, SIG_IGN);
    }

private:
    struct Request : Node {
        Signals* signals = nullptr;
        Request() : Node([](Node& node) { static_cast<Request&>(node).signals->system_.stop(); }) {}
    };
    System& system_;
    Request request_;
    std::thread thread_;
};

Task<> serve_until_stopped(System& system, RunLoop& loop, int& status) {
    auto ended = co_await system.run();
    if (!ended) status = failed(ended.error());
    loop.stop();
}

constexpr auto create_work = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, AccountId{});
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

int wrong_use(std::string_view what) {
    std::fprintf(stderr, "urr: %.*s (see urr --help)\n", int(what.size()), what.data());
    return 2;
}

int failed(const Error& error) {
    std::fprintf(stderr, "urr: %.*s\n", int(error.text().size()), error.text().data());
    for (const FieldError& field : error.fields())
        std::fprintf(stderr, "urr:   %s %s\n", field.field.c_str(), field.message.c_str());
    return 1;
}

std::string take_option(Arguments& arguments, std::string_view name, std::string_view fallback) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        if (arguments[i] != name) continue;
        std::string value = arguments[i + 1];
        arguments.erase(arguments.begin() + long(i), arguments.begin() + long(i) + 2);
        return value;
    }
    return std::string(fallback);
}

bool take_flag(Arguments& arguments, std::string_view name) {
    const auto at = std::find(arguments.begin(), arguments.end(), name);
    if (at == arguments.end()) return false;
    arguments.erase(at);
    return true;
}

std::int64_t take_number(Arguments& arguments, std::string_view name, std::int64_t fallback,
                         std::int64_t low) {
    const std::string text = take_option(arguments, name, std::to_string(fallback));
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && value >= low)
        return value;
    std::exit(wrong_use(std::string(name) + " must be a whole number from " + std::to_string(low)));
}

int serve(const Settings& settings) {
    Signals::block();
    const auto level = find_level(settings.text("URR_LOG_LEVEL"));
    if (!level)
        return failed(
            Error(Code::UNAVAILABLE, "URR_LOG_LEVEL must be debug, info, warning or error"));
    const SystemClock clock;
    LineLog log(STDERR_FILENO, clock, "urr", *level);
    auto loop = make_asio_loop();
    auto made = System::make(settings, *loop, log);
    if (!made) return failed(made.error());
    System& system = **made;
    int status = 0;
    {
        Loop::Enter in(loop.get());
        Signals signals(*loop, system);
        Nursery nursery;
        nursery.spawn(serve_until_stopped(system, *loop, status));
        loop->run();
        made->reset();
    }
    return status;
}

int keys(const Settings& settings) {
    const auto made = make_keys(settings.text("URR_DATA"));
    if (!made) return failed(made.error());
    std::printf("%d keys made in %s/keys\n", *made, settings.text("URR_DATA").c_str());
    return 0;
}

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

int mint_tokens(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const std::int64_t count = take_number(arguments, "--count", 1, 1);
    const std::string role = take_option(arguments, "--role", "user");
    if (!arguments.empty()) return wrong_use("token mint: unknown argument " + arguments[0]);
    if (role != "user" && role != "admin") return wrong_use("--role must be user or admin");
    const auto key = signing_key(settings.text("URR_DATA"), TokenType::access);
    if (!key) return failed(key.error());
    SystemClock clock;
    SystemRandom random;
    for (std::int64_t i = 0; i < count; ++i) {
        Claims claims;
        claims.subject = AccountId::make(clock.now(), random);
        claims.id = make_id_bytes(clock.now(), random);
        claims.issued = clock.now();
        claims.expires = claims.issued + hours(6);
        claims.email = "rehearsal@localhost";
        claims.email_verified = true;
        claims.role = role == "admin" ? Role::admin : Role::user;
        std::printf("%s %s\n", claims.subject.text().c_str(), sign_token(*key, claims).c_str());
    }
    return 0;
}

int print_config(const Settings& settings) {
    for (const SettingRow& row : settings.rows())
        std::printf("%-24.*s %-12s %.*s\n", int(row.name.size()), row.name.data(),
                    settings.text(row.name).c_str(), int(row.meaning.size()), row.meaning.data());
    return 0;
}

} // namespace urr::app
