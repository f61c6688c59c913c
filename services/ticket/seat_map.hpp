// The seat map of one event in memory: a cache of the rows for those who look. The rows decide who
// gets a seat; a change that comes late or twice is told by its version. One loop.
//
// Changes are gathered and told to all listeners at once by `publish`, rendered once. A listener
// that comes back with the revision it saw last gets what it missed, as long as that is kept.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "libs/contract/event_status.hpp"
#include "libs/http/sse.hpp"
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

class SeatMap : public std::enable_shared_from_this<SeatMap> {
public:
    static constexpr std::size_t frames_kept_max = 256;

    SeatMap(Event event, const std::vector<SeatRow>& rows);
    SeatMap(const SeatMap&) = delete;
    SeatMap& operator=(const SeatMap&) = delete;

    // Higher version wins. True when something is to be published.
    bool apply(const std::vector<SeatChange>& changes);
    // Tells the listeners what changed since the last time.
    void publish();
    const Event& event() const { return event_; }
    void set_published(std::int64_t version) {
        event_.published = true;
        event_.version = version;
    }
    void set_poster(std::string file, std::int64_t version) {
        event_.poster = std::move(file);
        event_.version = version;
    }
    // One letter a seat, in the order of their numbers.
    const std::string& letters() const { return letters_; }
    std::int64_t version(std::int64_t seat) const { return versions_.at(std::size_t(seat)); }
    const std::vector<std::int64_t>& versions() const { return versions_; }
    // The sum of all seats' versions: it rises with every change and is the same after a restart.
    std::int64_t revision() const { return revision_; }
    // A seat was held once: the geometry never changes again.
    bool frozen() const { return revision_ > std::int64_t(letters_.size()); }
    Stock stock() const { return stock_; }
    std::int64_t sold() const { return sold_; }
    Won price_of(const std::vector<std::int64_t>& seats) const;
    // `last_seen`: the id of the last frame that a listener got before it was cut off, or empty.
    std::unique_ptr<Stream> subscribe(std::string_view last_seen);
    // For a client to see that it missed a change: a number per section, over its letters.
    void publish_digest();
    const std::string& layout_json() const { return layout_json_; }
    const std::string& layout_tag() const { return layout_tag_; }
    std::size_t listeners() const { return changes_.listeners(); }
    void close_streams() { changes_.close(); }

    // Seats side by side that nobody has and nobody else is being given; they count as taken until
    // the choice is let go, so that those who choose at once do not all want the same. Empty: none.
    class Choice {
    public:
        Choice(SeatMap& map, std::vector<std::int64_t> seats);
        ~Choice();
        Choice(const Choice&) = delete;
        Choice& operator=(const Choice&) = delete;
        const std::vector<std::int64_t>& seats() const { return seats_; }

    private:
        const std::shared_ptr<SeatMap> map_; // an organizer's change may replace it meanwhile
        const std::vector<std::int64_t> seats_;
    };
    Choice choose(std::int64_t count, std::string_view grade);

private:
    struct Kept {
        std::int64_t from, to; // revisions
        Frame frame;
    };

    void count(char letter, std::int64_t by);
    void open_to_choice(std::int64_t seat);
    std::string digest() const;

    Event event_;
    std::string layout_json_, layout_tag_;
    std::string letters_;
    std::string uses_;    // see seat_uses
    std::string choices_; // letters_, but accessible and chosen seats are none to choose
    std::vector<std::int64_t> versions_;
    std::int64_t revision_ = 0;
    Stock stock_;
    std::int64_t sold_ = 0;
    std::vector<std::int64_t> changed_; // since the last publish, each once
    std::vector<bool> is_changed_;
    std::int64_t published_ = 0; // revision
    std::deque<Kept> kept_;
    Broadcast changes_;
};

} // namespace urr::ticket
