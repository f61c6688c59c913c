// The lines of a House in a real Redis: the cases of services/queue run over the scripts. The loop
// is simulated, so a command is sent and awaited on the spot, and time is the House's.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/queue/queue_house.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::queue {

namespace {

RedisServer& server() {
    static RedisServer one;
    return one;
}

int starts = 1; // of the server, as it is told

class OnTheSpot final : public Redis {
public:
    explicit OnTheSpot(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            std::abort();
        (void)say(Command{"HELLO", "3"});
    }
    ~OnTheSpot() override { ::close(socket_); }
    std::unique_ptr<RedisSubscription> subscribe(std::string, OnMessage) override {
        return nullptr;
    }
    const std::string& primary() const override { return life_; }

    Result<Reply> say(const Command& command) {
        std::string out;
        command.append_to(out);
        for (std::size_t sent = 0; sent < out.size();) {
            const ssize_t count = ::send(socket_, out.data() + sent, out.size() - sent, 0);
            if (count <= 0) return fail(Code::UNAVAILABLE);
            sent += std::size_t(count);
        }
        for (;;) {
            std::size_t used = 0;
            auto reply = TRY_PLAIN(parser_.next(in_, used));
            in_.erase(0, used);
            if (reply) return std::move(*reply);
            char piece[65536];
            const ssize_t count = ::recv(socket_, piece, sizeof piece, 0);
            if (count <= 0) return fail(Code::UNAVAILABLE);
            in_.append(piece, std::size_t(count));
        }
    }

private:
    Task<Result<Reply>> exchange(Context, const Command& command) override {
        (void)co_await sleep(Context{}, Duration{5}); // a step of the simulated world
        co_return say(command);
    }
    int socket_;
    ReplyParser parser_;
    std::string in_;
    std::string life_ = "life " + std::to_string(starts);
};

struct InRedis final : LinesOfHouse {
    OnTheSpot redis{server().port()};
    RedisLines lines;
    explicit InRedis(const House& house)
        : lines(redis, {.holder = "test", .turn = seconds(5), .clock = &house.clock}) {}
    LineStore& store() override { return lines; }
    void start_jobs(House& house) override { house.nursery->spawn(carry(lines, house)); }
    static Task<> carry(RedisLines& from, House& house) {
        for (;;) {
            (void)co_await from.carry(Context{}, *house.log, EventId{});
            for (const EventId& event : house.events.published())
                (void)co_await from.carry(Context{}, *house.log, event);
            (void)co_await sleep(Context{}, milliseconds(20));
        }
    }
};

} // namespace

std::unique_ptr<LinesOfHouse> open_lines(House& house) {
    if (house.is_fresh) (void)OnTheSpot(server().port()).say(Command{"FLUSHALL"});
    house.is_fresh = false;
    house.slack = milliseconds(30);
    return std::make_unique<InRedis>(house);
}

void restart_lines(House&) { ++starts; }

void lose_lines(House&) { (void)OnTheSpot(server().port()).say(Command{"FLUSHALL"}); }

} // namespace urr::queue
