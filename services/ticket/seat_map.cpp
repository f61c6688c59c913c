#include "services/ticket/seat_map.hpp"

#include <algorithm>
#include <charconv>

#include "libs/security/mac.hpp"

namespace urr::ticket {

namespace {

constexpr char chosen = '.';

// FNV-1a with 32 bits, which a browser computes by Math.imul.
std::uint32_t fnv1a(std::string_view bytes) {
    std::uint32_t hash = 0x811c9dc5u;
    for (const char c : bytes) hash = (hash ^ std::uint8_t(c)) * 0x01000193u;
    return hash;
}

} // namespace

SeatMap::SeatMap(Event event, const std::vector<SeatRow>& rows) : event_(std::move(event)) {
    layout_json_ = to_json(event_.layout);
    const Digest digest = sha256(layout_json_);
    layout_tag_ = "\"" + hex(std::span(digest).first(8)) + "\"";
    uses_ = seat_uses(event_.layout);
    uses_.resize(rows.size(), 'b');
    choices_.resize(rows.size());
    is_changed_.resize(rows.size());
    for (const SeatRow& row : rows) {
        letters_ += seat_letter(row.state);
        versions_.push_back(row.version);
        revision_ += row.version;
        count(letters_.back(), 1);
        open_to_choice(std::ssize(letters_) - 1);
    }
    published_ = revision_;
}

void SeatMap::count(char letter, std::int64_t by) {
    if (letter == 'a') stock_.free += by;
    if (letter == 's') sold_ += by;
    if (letter == 'h' || letter == 'p' || letter == 'c' || letter == 'o') stock_.under_way += by;
}

void SeatMap::open_to_choice(std::int64_t seat) {
    const auto i = std::size_t(seat);
    choices_[i] = uses_[i] == 'x' ? chosen : letters_[i];
}

bool SeatMap::apply(const std::vector<SeatChange>& changes) {
    for (const SeatChange& change : changes) {
        const auto seat = std::size_t(change.seat);
        if (change.event != event_.id || seat >= letters_.size()) continue;
        if (change.version <= versions_[seat]) continue;
        revision_ += change.version - versions_[seat];
        versions_[seat] = change.version;
        count(letters_[seat], -1);
        letters_[seat] = seat_letter(change.state);
        count(letters_[seat], 1);
        if (choices_[seat] != chosen) open_to_choice(change.seat);
        if (is_changed_[seat]) continue;
        is_changed_[seat] = true;
        changed_.push_back(change.seat);
    }
    return !changed_.empty();
}

void SeatMap::publish() {
    if (changed_.empty()) return;
    std::string list = "[";
    for (const std::int64_t seat : changed_) {
        const auto i = std::size_t(seat);
        is_changed_[i] = false;
        if (list.size() > 1) list += ',';
        list += "{\"seat\":" + std::to_string(seat) + ",\"state\":\"" + letters_[i] +
                "\",\"version\":" + std::to_string(versions_[i]) + "}";
    }
    changed_.clear();
    const Frame frame = event_frame("seats", list + "]", std::to_string(revision_));
    kept_.push_back({published_, revision_, frame});
    if (kept_.size() > frames_kept_max) kept_.pop_front();
    published_ = revision_;
    changes_.publish(frame);
}

Won SeatMap::price_of(const std::vector<std::int64_t>& seats) const {
    Won total;
    for (const std::int64_t seat : seats)
        if (const SeatPlace place = place_of(event_.layout, seat); place.section)
            total = total + place.section->price;
    return total;
}

std::string SeatMap::digest() const {
    std::string list = "[";
    const std::string_view letters = letters_;
    std::size_t at = 0;
    for (const Section& section : event_.layout.sections) {
        const auto size = std::size_t(section.rows) * std::size_t(section.seats_per_row);
        if (list.size() > 1) list += ',';
        list += std::to_string(fnv1a(letters.substr(at, size)));
        at += size;
    }
    return list + "]";
}

void SeatMap::publish_digest() {
    publish(); // a digest is of what the listeners know
    if (listeners() > 0) changes_.publish(event_frame("digest", digest()));
}

std::unique_ptr<Stream> SeatMap::subscribe(std::string_view last_seen) {
    publish();
    std::int64_t seen = -1;
    std::from_chars(last_seen.data(), last_seen.data() + last_seen.size(), seen);
    std::string first;
    const auto next = std::find_if(kept_.begin(), kept_.end(),
                                   [seen](const Kept& kept) { return kept.from == seen; });
    for (auto missed = next; missed != kept_.end(); ++missed) first += *missed->frame;
    first += *event_frame("digest", digest(), std::to_string(revision_));
    return changes_.subscribe(std::make_shared<const std::string>(std::move(first)));
}

SeatMap::Choice SeatMap::choose(std::int64_t count, std::string_view grade) {
    return Choice(*this, best_available(event_.layout, choices_, count, grade));
}

SeatMap::Choice::Choice(SeatMap& map, std::vector<std::int64_t> seats)
    : map_(map.shared_from_this()), seats_(std::move(seats)) {
    for (const std::int64_t seat : seats_) map_->choices_[std::size_t(seat)] = chosen;
}

SeatMap::Choice::~Choice() {
    for (const std::int64_t seat : seats_) map_->open_to_choice(seat);
}

} // namespace urr::ticket
