#include "sim/back.hpp"

#include "services/queue/store/schema.hpp"
#include "services/queue/store/sql_lines.hpp"
#include "services/ticket/store/schema.hpp"
#include "sim/keys.hpp"
#include "sim/unfenced.hpp"

namespace urr::sim {

namespace {

constexpr Duration poll = seconds(1);

// Delivers some events twice, and forgets that some were taken.
class Redelivering final : public Consumer {
public:
    Redelivering(Consumer& inner, Random& random, const Back& back, FaultCounts& counts)
        : inner_(inner), random_(random), back_(back), counts_(counts) {}
    Task<Result<void>> consume(Context context, Message message) override {
        TRY(co_await inner_.consume(context, message));
        if (!random_.chance(back_.redelivery())) co_return Result<void>{};
        counts_.add(Fault::event_redelivered);
        if (random_.chance(500))
            co_return fail(Code::UNAVAILABLE, "nobody heard that it was taken");
        co_return co_await inner_.consume(context, message);
    }

private:
    Consumer& inner_;
    Random& random_;
    const Back& back_;
    FaultCounts& counts_;
};

std::unique_ptr<GuardedService> guarded(const char* service, std::vector<const char*> callers,
                                        const Clock& clock) {
    CallerKeys keys;
    for (const char* caller : callers) keys.emplace(caller, caller_key(caller, service));
    std::set<std::string, std::less<>> internal;
    for (const char* caller : callers)
        if (std::string_view(caller) != "gateway") internal.insert(caller);
    return std::make_unique<GuardedService>(service, std::move(keys), std::move(internal), clock);
}

} // namespace

struct Back::Life {
    explicit Life(std::uint64_t seed) : random(seed) {}

    SeededRandom random;
    Stores stores;
    RevokedEntries revoked;
    std::unique_ptr<EventLog> log;
    std::unique_ptr<Relay> ticket_relay, payment_relay, queue_relay;
    std::unique_ptr<ticket::Service> tickets;
    std::unique_ptr<ticket::Routes> ticket_routes;
    std::unique_ptr<ticket::AdminRoutes> ticket_admin_routes;
    std::unique_ptr<GuardedService> ticket_face, catalog_face, payment_face, queue_face;
    std::unique_ptr<Transport> to_ticket, to_catalog, to_room;
    std::unique_ptr<payment::Tickets> tickets_client;
    std::unique_ptr<payment::Service> payments;
    std::unique_ptr<payment::Routes> payment_routes;
    std::unique_ptr<catalog::Catalog> catalog;
    std::unique_ptr<queue::CatalogClient> events;
    std::unique_ptr<queue::SqlLines> lines;
    std::unique_ptr<queue::Service> queue;
    std::unique_ptr<queue::Routes> queue_routes;
    std::unique_ptr<Consumer> of_payment, of_ticket, of_queue, unfenced;
    bool failed = false;
    Nursery nursery; // last: its tasks use all of the above

    bool open_stores(Back& back);
    void build_ticket(Back& back);
    void build_payment(Back& back);
    void build_catalog(Back& back);
    void build_queue(Back& back);
    void start_jobs();
};

bool Back::Life::open_stores(Back& back) {
    stores.ticket = back.open_store("ticket", ticket::migrations, random);
    stores.payment = back.open_store("payment", payment::migrations, random);
    stores.queue = back.open_store("queue", queue::migrations, random);
    stores.events = back.open_store("events", event_log_migrations, random);
    if (!stores.ticket || !stores.payment || !stores.queue || !stores.events) return false;
    log = make_table_log(*stores.events, poll);
    ticket_relay = std::make_unique<Relay>(*stores.ticket, *log, "sim", poll);
    payment_relay = std::make_unique<Relay>(*stores.payment, *log, "sim", poll);
    queue_relay = std::make_unique<Relay>(*stores.queue, *log, "sim", poll);
    return true;
}

void Back::Life::build_ticket(Back& back) {
    ticket::Rules rules;
    rules.hold = back.around_.plan.hold;
    tickets = std::make_unique<ticket::Service>(
        ticket::Parts{*stores.ticket, back.around_.clock, random, revoked,
                      signing_key(TokenType::ticket), rules});
    ticket_routes = std::make_unique<ticket::Routes>(*tickets);
    ticket_face = guarded("ticket", {"gateway", "payment"}, back.around_.clock);
    ticket_routes->add_to(ticket_face->router());
    ticket_admin_routes = std::make_unique<ticket::AdminRoutes>(*tickets);
    ticket_admin_routes->add_to(ticket_face->router());
    to_ticket = back.around_.network.connect(back.ticket_endpoint_);
}

void Back::Life::build_payment(Back& back) {
    const Clock& clock = back.around_.clock;
    tickets_client = payment::make_tickets_client(
        *to_ticket, CallerKey{"payment", caller_key("payment", "ticket")}, clock);
    if (back.around_.plan.plant == Plant::skip_the_fence) {
        tickets_client = std::make_unique<UnfencedTickets>(std::move(tickets_client));
        unfenced = std::make_unique<UnfencedConsumer>(*tickets, *stores.ticket);
    }
    payments = std::make_unique<payment::Service>(
        payment::Parts{*stores.payment, clock, random, back.bank_, *tickets_client});
    payment_routes = std::make_unique<payment::Routes>(*payments, HmacKey("bodies"));
    payment_face = guarded("payment", {"gateway"}, clock);
    payment_routes->add_to(payment_face->router());
    Consumer& takes_outcomes = unfenced ? *unfenced : static_cast<Consumer&>(*tickets);
    of_payment = std::make_unique<Redelivering>(*payments, random, back, back.around_.counts);
    of_ticket = std::make_unique<Redelivering>(takes_outcomes, random, back, back.around_.counts);
}

void Back::Life::build_catalog(Back& back) {
    catalog = std::make_unique<catalog::Catalog>(*stores.ticket, back.around_.clock);
    catalog_face = guarded("catalog", {"queue"}, back.around_.clock);
    catalog->add_to(catalog_face->router());
    to_catalog = back.around_.network.connect(back.catalog_endpoint_);
}

void Back::Life::build_queue(Back& back) {
    const Clock& clock = back.around_.clock;
    events = std::make_unique<queue::CatalogClient>(
        *to_catalog, CallerKey{"queue", caller_key("queue", "catalog")}, clock);
    to_room = back.around_.network.connect(back.room_);
    queue::Rules rules;
    rules.threshold = back.around_.plan.threshold;
    rules.active = back.around_.plan.active;
    lines = std::make_unique<queue::SqlLines>(*stores.queue);
    PublicKeys shown_keys = public_keys(TokenType::vwr);
    for (const TokenType own : {TokenType::entry, TokenType::place})
        shown_keys.add(signing_key(own));
    queue = std::make_unique<queue::Service>(
        queue::Parts{*lines, clock, random, *events, revoked, *to_room,
                     CallerKey{"queue", caller_key("queue", "vwr")}, signing_key(TokenType::entry),
                     signing_key(TokenType::place), std::move(shown_keys), rules, 50});
    queue_routes = std::make_unique<queue::Routes>(*queue, true);
    of_queue = std::make_unique<Redelivering>(*queue, random, back, back.around_.counts);
    queue_face = guarded("queue", {"gateway"}, clock);
    queue_routes->add_to(queue_face->router());
}

void Back::Life::start_jobs() {
    nursery.spawn(ticket_relay->run());
    nursery.spawn(payment_relay->run());
    nursery.spawn(queue_relay->run());
    nursery.spawn(log->deliver(std::string(topic_payment), "payment", *of_payment));
    nursery.spawn(log->deliver(std::string(topic_reservation), "ticket", *of_ticket));
    nursery.spawn(log->deliver(std::string(topic_payment), "queue", *of_queue));
    nursery.spawn(log->deliver(std::string(topic_queue), queue->log_group(), *of_queue));
    nursery.spawn(tickets->run_jobs());
    nursery.spawn(payments->run_jobs());
    nursery.spawn(events->run());
    nursery.spawn(queue->run_jobs());
}

Back::Back(Surroundings& around, Bank& bank, Endpoint& room)
    : Process(around, "back"), bank_(bank), room_(room) {}
Back::~Back() = default;

const Back::Stores* Back::stores() const { return life_ ? &life_->stores : nullptr; }

bool Back::healthy() const {
    const Stores& s = life_->stores;
    return !life_->failed && s.ticket->healthy() && s.payment->healthy() && s.queue->healthy() &&
           s.events->healthy();
}

// As the program starts: what is stored is loaded, what an earlier life left open is settled.
Task<> Back::run(Back& back, Life& life) {
    back.catalog_endpoint_ = {life.catalog_face.get(), &back.loop_, &life.nursery};
    (void)co_await life.events->refresh(Context{});
    life.failed = !co_await life.tickets->open(Context{}) || !co_await life.queue->open(Context{});
    if (life.failed) co_return;
    // Ticket listens first: payment asks it while it settles what was left open.
    back.ticket_endpoint_ = {life.ticket_face.get(), &back.loop_, &life.nursery};
    (void)co_await life.payments->reconcile(Context{}, Duration{});
    back.queue_endpoint_ = {life.queue_face.get(), &back.loop_, &life.nursery};
    back.payment_endpoint_ = {life.payment_face.get(), &back.loop_, &life.nursery};
    back.listen(*life.ticket_face, life.nursery);
    life.start_jobs();
    back.around_.trace.note("back is ready");
}

bool Back::build() {
    life_ = std::make_unique<Life>(around_.world.random().next());
    if (!life_->open_stores(*this)) return false;
    life_->build_ticket(*this);
    life_->build_payment(*this);
    life_->build_catalog(*this);
    life_->build_queue(*this);
    life_->nursery.spawn(run(*this, *life_));
    return true;
}

void Back::tear_down() {
    ticket_endpoint_ = catalog_endpoint_ = queue_endpoint_ = payment_endpoint_ = {};
    life_.reset();
}

} // namespace urr::sim
