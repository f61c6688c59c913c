// The seat map of one event in memory: a cache of the rows for those who look. The rows decide who
// gets a seat; a change that comes late or twice is told by its version. One loop.
#pragma once
#include <string>
#include <vector>

#include "libs/http/sse.hpp"
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

class SeatMap {
public:
    SeatMap(Event event, const std::vector<SeatRow>& rows);
    SeatMap(const SeatMap&) = delete;
    SeatMap& operator=(const SeatMap&) = delete;

    // Higher version wins; tells the listeners of what changed.
    void apply(const std::vector<SeatChange>& changes);
    const Event& event() const { return event_; }
    void set_published() { event_.published = true; }
    // One letter a seat, in the order of their numbers.
    const std::string& letters() const { return letters_; }
    // Changes whenever a letter does: for ETags.
    std::uint64_t revision() const { return revision_; }
    Stock stock() const { return stock_; }
    Won price_of(const std::vector<std::int64_t>& seats) const;
    std::unique_ptr<Stream> subscribe();
    // For a client to see that it missed a change: a number per section, over letters and versions.
    void publish_digest();
    const std::string& layout_json() const { return layout_json_; }
    std::size_t listeners() const { return changes_.listeners(); }

private:
    void count(char letter, std::int64_t by);
    std::string digest() const;

    Event event_;
    std::string layout_json_;
    std::string letters_;
    std::vector<std::int64_t> versions_;
    std::uint64_t revision_ = 1;
    Stock stock_;
    Broadcast changes_;
};

} // namespace urr::ticket
