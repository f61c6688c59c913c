#include "services/queue/queue_house.hpp"

namespace urr::queue {

namespace fs = std::filesystem;

namespace {

SigningKey key_of(TokenType type, unsigned char fill) {
    std::array<unsigned char, 32> seed;
    seed.fill(fill);
    return SigningKey::from_seed(type, "k" + std::to_string(fill), seed);
}

Task<> hand(House& house, const House::Ask& what, Answer& answer) {
    const std::size_t query = what.path.find('?');
    Request request;
    request.method = what.method;
    request.target = what.path;
    request.path = std::string_view(what.path).substr(0, query);
    if (query != std::string::npos) request.query = std::string_view(what.path).substr(query + 1);
    request.body = what.body;
    for (const auto& [name, value] : what.headers) request.add_header(name, value);
    Principal who;
    who.account = what.who;
    who.role = what.role;
    who.verified = true;
    const CallerKey gateway{"gateway", HmacKey("gateway-to-queue")};
    const CallerHeaders headers(gateway, "queue", who, request, house.clock.now());
    headers.attach(request);
    Context context;
    context.deadline = Loop::here().now() + seconds(10);
    Response response = co_await house.face->handle(context, request);
    answer.status = response.status;
    answer.headers = response.headers;
    answer.body_text = response.body;
    if (auto body = parse_json(response.body)) answer.body = std::move(*body);
    answer.stream = std::move(response.stream);
}

// With a store that answers at once the log must not be quicker than the first to come.
Task<> read_log(House& house) {
    if (house.slack != Duration{}) (void)co_await sleep(Context{}, milliseconds(5));
    while (house.log_waits) (void)co_await sleep(Context{}, milliseconds(10));
    co_await house.log->deliver(std::string(topic_queue), house.service->log_group(),
                                *house.service);
}

} // namespace

House::House(std::uint64_t seed)
    : folder(fs::temp_directory_path() /
             ("urr_queue_" + std::to_string(::getpid()) + "_" + std::to_string(seed))),
      world(seed), random(seed), room_key(key_of(TokenType::vwr, 1)),
      entry_key(key_of(TokenType::entry, 2)), place_key(key_of(TokenType::place, 3)) {
    fs::create_directories(folder);
    event = EventId::make(clock.now(), random);
    events.all[event] = {.room = true, .on_sale = true, .free = 1000};
    start();
}

House::~House() {
    crash();
    fs::remove_all(folder);
}

std::unique_ptr<SqliteDatabase> House::open(const char* name, std::span<const Migration> tables) {
    SqliteOptions options;
    const std::string file = (folder / name).string();
    options.path = file;
    options.clock = &clock;
    auto opened = must(open_sqlite_on_loop(options, loop, random));
    must(migrate(*opened, tables));
    return opened;
}

void House::start() {
    database = open("queue.db", migrations);
    log_database = open("events.db", event_log_migrations);
    log = make_table_log(*log_database, milliseconds(20));
    lines = open_lines(*this);
    revoked = std::make_unique<RevokedEntries>();
    PublicKeys shown_keys = replaced_keys;
    for (const SigningKey& key : {room_key, entry_key, place_key}) shown_keys.add(key);
    service = std::make_unique<Service>(Parts{lines->store(), clock, random, events, *revoked, room,
                                              CallerKey{"queue", HmacKey("queue-to-vwr")},
                                              entry_key, place_key, std::move(shown_keys), rules,
                                              500, seconds(60), streams_max});
    routes = std::make_unique<Routes>(*service, true);
    CallerKeys callers;
    callers.emplace("gateway", HmacKey("gateway-to-queue"));
    face = std::make_unique<GuardedService>("queue", std::move(callers),
                                            std::set<std::string, std::less<>>{}, clock);
    routes->add_to(face->router());
    nursery = std::make_unique<Nursery>();
    run([](House& house) -> Task<> { must(co_await house.service->open(Context{})); }(*this));
    Loop::Enter in(&loop);
    lines->start_jobs(*this);
    nursery->spawn(log->deliver(std::string(topic_payment), "queue", *service));
    nursery->spawn(read_log(*this));
    nursery->spawn(service->run_jobs());
}

void House::crash() {
    nursery.reset();
    world.run_until(world.now() + milliseconds(1)); // answers that nobody waits for any more
    face.reset();
    routes.reset();
    service.reset();
    lines.reset();
    log.reset();
    database.reset();
    log_database.reset();
}

void House::replace_keys() {
    for (SigningKey* key : {&room_key, &entry_key, &place_key}) {
        replaced_keys.add(*key);
        *key = key_of(key->type, static_cast<unsigned char>(key->secret[0] + 10));
    }
}

void House::lose_store() {
    crash();
    lose_lines(*this);
    start();
}

void House::restart_store() {
    crash();
    restart_lines(*this);
    start();
}

void House::pass(int seconds_long) {
    for (int i = 0; i < seconds_long * 10; ++i) {
        world.run_until(world.now() + milliseconds(100));
        clock.advance(milliseconds(100));
    }
    world.run_until(world.now() + slack);
    clock.advance(slack);
}

void House::run(Task<> task) {
    bool done = false;
    const auto body = [](Task<> inner, bool& flag) -> Task<> {
        co_await std::move(inner);
        flag = true;
    };
    {
        Loop::Enter in(&loop);
        nursery->spawn(body(std::move(task), done));
    }
    while (!done) {
        const Instant before = world.now();
        ASSERT_TRUE(world.step());
        clock.advance(world.now() - before);
    }
}

std::string House::room_token(std::uint64_t position, std::uint32_t phase) {
    Claims claims;
    claims.type = TokenType::vwr;
    claims.event = event;
    claims.id = make_id_bytes(clock.now(), random);
    claims.issued = clock.now();
    claims.expires = clock.now() + minutes(10);
    claims.epoch = epoch();
    claims.phase = phase;
    claims.position = position;
    return sign_token(room_key, claims);
}

Answer House::ask(const Ask& what) {
    Answer answer;
    run(hand(*this, what, answer));
    return answer;
}

Answer House::enter(const AccountId& who, const std::string& token,
                    std::vector<std::pair<std::string, std::string>> more) {
    if (!token.empty()) more.push_back({"X-Urr-Vwr-Token", token});
    return ask({who, Method::post, path("/entry"), "", std::move(more)});
}

Answer House::lever(std::string_view name, const std::string& body, bool dry_run) {
    Ask what{fan(),
             Method::post,
             "/api/v1/queue/admin/" + event.text() + "/" + std::string(name) +
                 (dry_run ? "?dryRun=true" : ""),
             body,
             {}};
    what.role = Role::admin;
    return ask(what);
}

Answer House::stream(const AccountId& who, std::string last_event_id) {
    Ask what{who, Method::get, path("/stream"), "", {}};
    if (!last_event_id.empty()) what.headers.push_back({"Last-Event-ID", std::move(last_event_id)});
    return ask(what);
}

std::string House::frames_of(Stream& stream) {
    std::string all;
    run([](Stream& from, std::string& out) -> Task<> {
        for (;;) {
            Context context;
            context.deadline = Loop::here().now() + milliseconds(1);
            const auto frame = co_await from.next(context);
            if (!frame) co_return;
            if (!*frame) {
                out += "(end)";
                co_return;
            }
            out += **frame;
        }
    }(stream, all));
    return all;
}

std::vector<Message> House::told() {
    struct Listener final : Consumer {
        std::vector<Message> all;
        Task<Result<void>> consume(Context, Message message) override {
            all.push_back(std::move(message));
            co_return Result<void>{};
        }
    } listener;
    Nursery listening;
    {
        Loop::Enter in(&loop);
        const std::string group = MessageId::make(clock.now(), random).text(); // from the beginning
        listening.spawn(log->deliver(std::string(topic_queue), group, listener));
    }
    pass(1);
    Loop::Enter in(&loop);
    listening.clear();
    return std::move(listener.all);
}

Result<> House::tell_bought(const AccountId& who, Instant at) {
    Message message;
    message.id = MessageId::make(clock.now(), random);
    message.topic = topic_payment;
    message.type = ReservationConfirmed::type;
    message.occurred = at;
    ReservationConfirmed told;
    told.reservation = ReservationId::make(clock.now(), random);
    told.event = event;
    told.account = who;
    message.data = to_json(told);
    Result<> out;
    run([](House& house, Message said, Result<>& done) -> Task<> {
        done = co_await house.service->consume(Context{}, said);
        if (done) must(co_await house.service->consume(Context{}, said)); // told twice
    }(*this, std::move(message), out));
    return out;
}

} // namespace urr::queue
