// Server-sent events (HTML Living Standard §9.2): a Broadcast renders a frame once and gives it to
// all who listen; one that reads too slowly is ended and comes again by itself.
//
//     Broadcast changes;                               // on one loop
//     changes.publish(event_frame("seats", json));
//     response.stream = changes.subscribe(first_frame);
#pragma once
#include <deque>
#include <memory>
#include <string>

#include "libs/async/wait.hpp"
#include "libs/http/message.hpp"

namespace urr {

using Frame = std::shared_ptr<const std::string>;

// "event: name\nid: 7\ndata: {...}\n\n"; an empty id is left out. The data holds no line break.
Frame event_frame(std::string_view name, std::string_view data, std::string_view id = {});

// The frames that one listener has not taken yet.
class Backlog : public Stream {
public:
    Task<Result<Frame>> next(Context context) override;
    void give(const Frame& frame) {
        frames_.push_back(frame);
        arrived_.open();
    }
    std::size_t size() const { return frames_.size(); }

protected:
    // Ends after what it has got.
    void end();

private:
    std::deque<Frame> frames_;
    Gate arrived_;
    bool ended_ = false;
};

class Broadcast {
public:
    static constexpr std::size_t backlog_max = 64;

    Broadcast() = default;
    Broadcast(const Broadcast&) = delete;
    Broadcast& operator=(const Broadcast&) = delete;
    ~Broadcast();

    void publish(Frame frame);
    // The stream gives `first` (where not null) and then all that is published. Lives on this loop;
    // it may outlive the Broadcast, and ends then.
    std::unique_ptr<Stream> subscribe(Frame first);
    std::size_t listeners() const { return count_; }
    // Ends all streams.
    void close();

private:
    class Listener;
    Listener* head_ = nullptr;
    std::size_t count_ = 0;
};

} // namespace urr
