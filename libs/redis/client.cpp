// The client: what waits, what is under way, and the one connection that a task of its own keeps
// up.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "libs/async/nursery.hpp"
#include "libs/redis/redis.hpp"
#include "libs/redis/sentinel.hpp"

namespace urr {

namespace {

constexpr Duration busy_tick = milliseconds(20), quiet_tick = seconds(1);

class Client;

// One command on its way, in its caller's frame: it waits, then it is under way.
struct Exchange : Resume {
    enum class Stage : std::uint8_t { waiting, under_way, answered };

    Client& client;
    const Command& command;
    Instant due;
    Stage stage = Stage::waiting;
    std::uint64_t number = 0; // while it is under way
    Exchange* before = nullptr;
    Exchange* after = nullptr; // while it waits
    std::optional<Result<Reply>> answer;

    Exchange(Client& c, const Command& words, Instant until)
        : client(c), command(words), due(until) {}
    inline ~Exchange();
    bool await_ready() noexcept { return false; }
    inline void await_suspend(std::coroutine_handle<> caller);
    Result<Reply> await_resume() { return std::move(*answer); }
    void finish(Result<Reply> result) {
        stage = Stage::answered;
        answer.emplace(std::move(result));
        Loop::here().soon(*this);
    }
};

class Client final : public Redis {
public:
    Client(RunLoop& loop, Random& random, RedisOptions options, std::unique_ptr<TlsContext> tls,
           Log& log)
        : loop_(loop), random_(random), options_(std::move(options)), tls_(std::move(tls)),
          log_(log), finder_(loop, options_, tls_.get()) {
        tick_.client = flush_.client = this;
    }
    ~Client() override {
        jobs_.clear();
        abandon(Code::UNAVAILABLE);
        for (const auto& [name, subscription] : subscriptions_) subscription->client = nullptr;
    }

    const std::string& primary() const override { return primary_; }
    std::unique_ptr<RedisSubscription> subscribe(std::string channel, OnMessage told) override;

    void wait_for(Exchange& exchange);
    void forget(Exchange& exchange);

private:
    enum class State : std::uint8_t { idle, connecting, up, away };
    struct Subscription final : RedisSubscription {
        Client* client;
        OnMessage told;
        std::multimap<std::string, Subscription*>::iterator at;
        ~Subscription() override {
            if (client) client->subscriptions_.erase(at);
        }
    };
    struct Flush : Node {
        Client* client = nullptr;
        Flush() : Node([](Node& node) { static_cast<Flush&>(node).client->flush(); }) {}
    };
    struct Tick : Timer {
        Client* client = nullptr;
        Tick() : Timer([](Node& node) { static_cast<Tick&>(node).client->tick(); }) {}
    };

    Task<Result<Reply>> exchange(Context context, const Command& command) override;
    void start();
    Task<> keep_up();
    Task<Result<void>> connect();
    Task<Result<void>> connect(Context context, const RedisAddress& address);
    Task<Result<void>> serve();
    Result<> take(Reply reply);
    void flush();
    void tick();
    void ping();
    void unlink(Exchange& exchange);
    // What is under way is not known of; what waits fails with `code`.
    void abandon(Code code);
    void lose();
    bool is_full() const {
        return waiting_ + under_way_.size() >= options_.waiting_max ||
               waiting_bytes_ >= options_.waiting_bytes_max;
    }

    RunLoop& loop_;
    Random& random_;
    const RedisOptions options_;
    const std::unique_ptr<TlsContext> tls_;
    Log& log_;
    PrimaryFinder finder_;
    std::multimap<std::string, Subscription*> subscriptions_;

    State state_ = State::idle;
    std::string primary_;
    std::unique_ptr<RedisLink> link_;
    Exchange* first_ = nullptr; // of those that wait
    Exchange* last_ = nullptr;
    std::size_t waiting_ = 0, waiting_bytes_ = 0;
    std::deque<Exchange*> under_way_; // nullptr: nobody waits for the answer any more
    std::uint64_t answered_ = 0;      // the number of the first of them
    Instant heard_;                   // the last sign of the server
    std::string out_;
    Flush flush_;
    Tick tick_;
    Nursery jobs_;
};

Exchange::~Exchange() {
    if (stage != Stage::answered && waiting) client.forget(*this);
}
void Exchange::await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    client.wait_for(*this);
}

Task<Result<Reply>> Client::exchange(Context context, const Command& command) {
    start();
    if (state_ == State::away) co_return fail(Error(Code::UNAVAILABLE, "Redis").retry_after(1));
    if (is_full()) {
        figures_.overloaded.add();
        co_return fail(Error(Code::OVERLOADED, "Redis").retry_after(1));
    }
    const Instant due = std::min(context.deadline, loop_.now() + options_.command_timeout);
    co_return co_await Exchange(*this, command, due);
}

void Client::start() {
    if (state_ != State::idle) return;
    state_ = State::connecting;
    jobs_.spawn(keep_up());
}

void Client::wait_for(Exchange& exchange) {
    exchange.before = last_;
    (last_ ? last_->after : first_) = &exchange;
    last_ = &exchange;
    ++waiting_;
    waiting_bytes_ += exchange.command.bytes();
    if (!tick_.armed || tick_.at > loop_.now() + busy_tick)
        loop_.arm(tick_, loop_.now() + busy_tick);
    if (state_ == State::up && !flush_.owner) loop_.soon(flush_);
}

void Client::unlink(Exchange& exchange) {
    (exchange.before ? exchange.before->after : first_) = exchange.after;
    (exchange.after ? exchange.after->before : last_) = exchange.before;
    exchange.before = exchange.after = nullptr;
    --waiting_;
    waiting_bytes_ -= exchange.command.bytes();
}

void Client::forget(Exchange& exchange) {
    if (exchange.stage == Exchange::Stage::waiting)
        unlink(exchange);
    else
        under_way_[exchange.number - answered_] = nullptr;
}

// All that was queued in this turn, in one write.
void Client::flush() {
    if (state_ != State::up || !first_) return;
    if (under_way_.empty()) heard_ = loop_.now();
    out_.clear();
    while (Exchange* const exchange = first_) {
        unlink(*exchange);
        exchange->command.append_to(out_);
        exchange->stage = Exchange::Stage::under_way;
        exchange->number = answered_ + under_way_.size();
        under_way_.push_back(exchange);
        figures_.commands.add();
    }
    figures_.writes.add();
    link_->wire->write(out_);
}

void Client::ping() {
    under_way_.push_back(nullptr);
    out_.clear();
    Command{"PING"}.append_to(out_);
    link_->wire->write(out_);
}

void Client::tick() {
    const Instant now = loop_.now();
    for (Exchange* next = first_; next;) {
        Exchange& exchange = *std::exchange(next, next->after);
        if (exchange.due > now) continue;
        unlink(exchange);
        figures_.timed_out.add();
        exchange.finish(fail(Code::DEADLINE_EXCEEDED, "Redis"));
    }
    for (Exchange*& exchange : under_way_) {
        if (!exchange || exchange->due > now) continue;
        figures_.timed_out.add();
        std::exchange(exchange, nullptr)->finish(fail(Code::OUTCOME_UNKNOWN, "Redis"));
    }
    if (state_ == State::up) {
        if (!under_way_.empty() && heard_ + options_.command_timeout <= now)
            lose(); // it hangs
        else if (under_way_.empty() && heard_ + options_.quiet_max <= now)
            heard_ = now, ping();
    }
    const bool busy = waiting_ > 0 || !under_way_.empty();
    loop_.arm(tick_, now + (busy ? busy_tick : quiet_tick));
}

// The reader notices and ends.
void Client::lose() { link_->wire->close(); }

void Client::abandon(Code code) {
    std::deque<Exchange*> unknown;
    unknown.swap(under_way_);
    answered_ += unknown.size();
    for (Exchange* const exchange : unknown)
        if (exchange) exchange->finish(fail(Code::OUTCOME_UNKNOWN, "Redis"));
    if (code == Code::OUTCOME_UNKNOWN) return; // what waits may go out on the next connection
    while (Exchange* const exchange = first_) {
        unlink(*exchange);
        exchange->finish(fail(Error(code, "Redis").retry_after(1)));
    }
}

// For as long as the client is there.
Task<> Client::keep_up() {
    loop_.arm(tick_, loop_.now() + quiet_tick);
    Duration pause = options_.retry_min;
    for (;;) {
        const auto connected = co_await connect();
        if (connected) {
            pause = options_.retry_min;
            const auto ended = co_await serve();
            figures_.lost.add();
            log_.write(Level::warning, "redis_lost", {{"why", ended.error().text()}});
            primary_.clear();
            state_ = State::connecting;
            abandon(Code::OUTCOME_UNKNOWN);
            link_.reset();
            (void)co_await sleep(Context{}, Duration{std::int64_t(random_.below(20'000))});
            continue;
        }
        figures_.failed_connects.add();
        if (state_ != State::away)
            log_.write(Level::warning, "redis_away", {{"why", connected.error().text()}});
        state_ = State::away;
        abandon(Code::UNAVAILABLE);
        const auto half = std::uint64_t(pause.us / 2);
        (void)co_await sleep(Context{}, Duration{std::int64_t(half + random_.below(half + 1))});
        pause = std::min(pause * 2, options_.retry_max);
    }
}

Task<Result<void>> Client::connect() {
    Context context;
    context.deadline = loop_.now() + options_.connect_timeout;
    const RedisAddress address = TRY(co_await finder_.find(context));
    const auto connected = co_await connect(context, address);
    if (!connected) co_return failed_at(address, connected.error());
    finder_.succeeded();
    figures_.connects.add();
    log_.write(Level::info, "redis_up", {{"host", address.host}, {"port", address.port}});
    flush();
    co_return Result<void>{};
}

Task<Result<void>> Client::connect(Context context, const RedisAddress& address) {
    auto link = TRY(co_await RedisLink::open(loop_, address, tls_.get(), context));
    const std::string life =
        TRY(co_await link->introduce(context, options_.user, options_.password));
    for (auto at = subscriptions_.begin(); at != subscriptions_.end();
         at = subscriptions_.upper_bound(at->first))
        TRY(co_await link->ask(context, Command{"SUBSCRIBE", at->first}));
    link_ = std::move(link);
    primary_ = life;
    state_ = State::up;
    heard_ = loop_.now();
    co_return Result<void>{};
}

// Until the connection ends; the answer says why.
Task<Result<void>> Client::serve() {
    for (;;) {
        std::optional<Reply> reply;
        while ((reply = TRY(link_->next()))) TRY(take(std::move(*reply)));
        TRY(co_await link_->read(Context{}));
        heard_ = loop_.now();
    }
}

Result<> Client::take(Reply reply) {
    if (reply.kind == Reply::Kind::push) {
        const auto& items = reply.items;
        if (items.size() == 3 && items[0].text == "message") {
            const auto [first, end] = subscriptions_.equal_range(items[1].text);
            for (auto at = first; at != end;) (at++)->second->told(items[2].text);
            return {};
        }
        // What a SUBSCRIBE is answered with comes in the order of the commands.
        if (items.empty() || items[0].text != "subscribe") return {};
    }
    if (under_way_.empty()) return fail(Code::BAD_GATEWAY, "an answer that nobody asked for");
    Exchange* const exchange = under_way_.front();
    under_way_.pop_front();
    ++answered_;
    // A primary that has become a replica: the sentinels know the new one.
    const bool demoted = reply.is_error("READONLY");
    if (exchange) exchange->finish(std::move(reply));
    if (demoted) return fail(Code::UNAVAILABLE, "it is the primary no more");
    return {};
}

std::unique_ptr<RedisSubscription> Client::subscribe(std::string channel, OnMessage told) {
    auto subscription = std::make_unique<Subscription>();
    subscription->client = this;
    subscription->told = std::move(told);
    const bool known = subscriptions_.contains(channel);
    subscription->at = subscriptions_.emplace(channel, subscription.get());
    if (Loop::current()) start();        // else the first command does
    if (state_ == State::up && !known) { // otherwise the next connection begins with it
        under_way_.push_back(nullptr);
        out_.clear();
        Command{"SUBSCRIBE", channel}.append_to(out_);
        link_->wire->write(out_);
    }
    return subscription;
}

} // namespace

Result<std::unique_ptr<Redis>> connect_redis(RunLoop& loop, Random& random, RedisOptions options,
                                             Log& log) {
    std::unique_ptr<TlsContext> tls;
    if (options.tls) tls = TRY_PLAIN(TlsContext::make(options.ca_file));
    return std::make_unique<Client>(loop, random, std::move(options), std::move(tls), log);
}

} // namespace urr
