// Who listens to an event's line (server-sent events). The room's frame is rendered once and given
// to all; only "you are in" is personal. Listening is a sign of life.
//
//     Audience audience(stream_limit);
//     response.stream = TRY_PLAIN(audience.subscribe(account, first_frame));   // STREAMS_FULL
//     audience.publish(frame);
//     audience.tell(account, frame);
//
// One loop. A stream may outlive the audience, and ends then. One that reads too slowly, or is the
// oldest of too many of its account, is ended; browsers come again by themselves.
#pragma once
#include <deque>
#include <map>
#include <memory>

#include "libs/http/sse.hpp"

namespace urr::queue {

// Shared by the audiences of a process.
struct StreamLimit {
    std::size_t most = 20'000;
    std::size_t open = 0;
};

class Audience {
public:
    static constexpr std::size_t backlog_max = 16;
    static constexpr std::size_t per_account_max = 4;

    explicit Audience(std::shared_ptr<StreamLimit> limit) : limit_(std::move(limit)) {}
    Audience(const Audience&) = delete;
    Audience& operator=(const Audience&) = delete;
    ~Audience() { close(); }

    Result<std::unique_ptr<Stream>> subscribe(const AccountId& account, Frame first);
    void publish(const Frame& frame);
    void tell(const AccountId& account, const Frame& frame);
    // Tells it, and ends the account's streams after that.
    void dismiss(const AccountId& account, const Frame& frame);
    // Each listening account once.
    template <class Visitor>
    void each_account(Visitor&& visit) const {
        for (const auto& [account, listeners] : listeners_) visit(account);
    }
    bool empty() const { return listeners_.empty(); }
    void close();

private:
    class Listener;
    void forget(Listener& listener);

    std::shared_ptr<StreamLimit> limit_;
    std::map<AccountId, std::deque<Listener*>> listeners_; // the oldest first; none empty
};

} // namespace urr::queue
