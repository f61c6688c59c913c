#include "sim/front.hpp"

#include "sim/keys.hpp"

namespace urr::sim {

struct Front::Life {
    explicit Life(std::uint64_t seed) : random(seed) {}

    SeededRandom random;
    std::unique_ptr<SqliteDatabase> store;
    std::unique_ptr<waiting_room::Component> rooms;
    std::unique_ptr<Transport> to_room, to_ticket, to_queue, to_payment;
    EndedSessions ended; // its fans' tokens name no session
    std::unique_ptr<gateway::Gateway> gateway;
    bool failed = false;
    Nursery nursery; // last: its tasks use all of the above

    void build_room(Front& front);
    void build_gateway(Front& front);
};

void Front::Life::build_room(Front& front) {
    waiting_room::Options options;
    options.rate.adaptive = true;
    options.door.assign_limit = {.burst = 1'000'000, .per_second = 1'000'000, .table_size = 64};
    options.receipt_keys = receipt_keys();
    options.token_key = signing_key(TokenType::vwr);
    options.callers.emplace("queue", caller_key("queue", "vwr"));
    rooms = std::make_unique<waiting_room::Component>(
        *store, std::vector<Loop*>{&front.loop_}, front.around_.clock, random, std::move(options));
    to_room = loopback(rooms->door(0)); // the same process
}

void Front::Life::build_gateway(Front& front) {
    using gateway::Target;
    gateway::Options options;
    options.keys.add(signing_key(TokenType::access));
    options.keys.add(signing_key(TokenType::entry));
    constexpr std::int64_t many = 1'000'000;
    options.limits.auth = options.limits.queue = many;
    options.limits.booking = options.limits.general = many;
    Network& network = front.around_.network;
    to_ticket = network.connect(front.back_->ticket());
    to_queue = network.connect(front.back_->queue());
    to_payment = network.connect(front.back_->payment());
    std::array<Transport*, gateway::targets> upstreams{};
    const std::pair<Target, Transport*> guarded[] = {{Target::ticket, to_ticket.get()},
                                                     {Target::payment, to_payment.get()},
                                                     {Target::queue, to_queue.get()}};
    for (const auto& [target, transport] : guarded) {
        upstreams[std::size_t(target)] = transport;
        options.caller_keys[std::size_t(target)] =
            caller_key("gateway", gateway::target_name(target));
    }
    upstreams[std::size_t(Target::waiting_room)] = to_room.get();
    gateway = std::make_unique<gateway::Gateway>(std::move(options), front.around_.clock, random,
                                                 ended, upstreams, &rooms->door(0));
}

Front::Front(Surroundings& around) : Process(around, "front") {}
Front::~Front() = default;

SqliteDatabase* Front::store() const { return life_ ? life_->store.get() : nullptr; }

bool Front::healthy() const { return !life_->failed && life_->store->healthy(); }

Task<> Front::run(Front& front, Life& life) {
    life.failed = !co_await life.rooms->open(Context{});
    if (life.failed) co_return;
    front.room_endpoint_ = {&life.rooms->door(0), &front.loop_, &life.nursery};
    front.listen(*life.gateway, life.nursery);
    front.around_.trace.note("front is ready");
    life.rooms->start_jobs(life.nursery);
}

bool Front::build() {
    life_ = std::make_unique<Life>(around_.world.random().next());
    life_->store = open_store("vwr", waiting_room::migrations(), life_->random);
    if (!life_->store) return false;
    life_->build_room(*this);
    life_->build_gateway(*this);
    life_->nursery.spawn(run(*this, *life_));
    return true;
}

void Front::tear_down() {
    room_endpoint_ = {};
    life_.reset();
}

} // namespace urr::sim
