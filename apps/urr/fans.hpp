// The fans of a stampede: each a coroutine that does over HTTP what a browser would, obeys the poll
// hints, and remembers what it was told.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/urr/audit.hpp"
#include "libs/async/nursery.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/json.hpp"
#include "libs/http/client.hpp"
#include "libs/security/jwt.hpp"

namespace urr::app {

struct StampedePlan {
    EventId event;
    std::uint16_t port = 0;
    std::int64_t fans = 0, seats = 0;
    std::uint64_t seed = 0;
    std::int64_t abandon_percent = 0, decline_percent = 0;
    std::int64_t kills = 0; // kill -9 of the server at random instants, restarted at once
};

// The server under the fans' feet.
class Victim {
public:
    virtual ~Victim() = default;
    virtual void kill_and_restart() = 0;
};

enum class Call : std::uint8_t { assign, status, check, entry, seats, reserve, confirm };
inline constexpr std::size_t calls = 7;

class Stampede {
public:
    Stampede(const StampedePlan& plan, const SigningKey& access, Victim& victim);
    // Runs until every fan has a ticket, has given up or was told that it is sold out.
    void run();
    const std::vector<FanRecord>& records() const { return records_; }
    std::string report(const Audit& audit) const;

private:
    struct Fan {
        std::size_t number = 0;
        std::string token, address, entry;
    };
    struct Answer {
        int status = 0;
        JsonValue body;
        std::string code() const { return std::string(body.text_of("code")); }
        // Nobody knows whether it happened: ask again with the same key.
        bool is_unknown() const { return status == 0 || status >= 500; }
    };

    Task<> wait_until_up();
    Task<> kill_now_and_then();
    Task<> play(std::size_t number);
    Task<bool> pass_room(Fan& fan);
    Task<bool> pass_queue(Fan& fan, std::string room_token);
    Task<bool> hold(Fan& fan);
    Task<> pay(Fan& fan);
    Task<Answer> ask(Fan& fan, Call call, Method method, std::string path, std::string body = {},
                     std::string key = {}, std::string room_token = {});
    Task<> show_progress();
    Task<> all(RunLoop& loop);

    StampedePlan plan_;
    const SigningKey& access_;
    Victim& victim_;
    SeededRandom random_;
    SystemClock clock_;
    std::unique_ptr<Transport> client_;
    std::vector<FanRecord> records_;
    std::array<std::vector<std::int64_t>, calls> latency_us_;
    std::map<std::string, std::int64_t> errors_;
    std::int64_t requests_ = 0, arrived_ = 0, active_ = 0, held_ = 0, sold_ = 0, done_ = 0;
    Instant began_, sold_out_;
    std::int64_t kills_ = 0;
    Duration slowest_ready_{}; // from exec to the first good answer, over all restarts
};

} // namespace urr::app
