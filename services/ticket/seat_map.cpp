#include "services/ticket/seat_map.hpp"

namespace urr::ticket {

SeatMap::SeatMap(Event event, const std::vector<SeatRow>& rows) : event_(std::move(event)) {
    layout_json_ = to_json(event_.layout);
    for (const SeatRow& row : rows) {
        letters_ += seat_letter(row.state);
        versions_.push_back(row.version);
        count(letters_.back(), 1);
    }
}

void SeatMap::count(char letter, std::int64_t by) {
    if (letter == 'a') stock_.free += by;
    if (letter == 'h' || letter == 'p') stock_.under_way += by;
}

void SeatMap::apply(const std::vector<SeatChange>& changes) {
    std::string list;
    for (const SeatChange& change : changes) {
        const auto seat = std::size_t(change.seat);
        if (change.event != event_.id || seat >= letters_.size()) continue;
        if (change.version <= versions_[seat]) continue;
        versions_[seat] = change.version;
        count(letters_[seat], -1);
        letters_[seat] = seat_letter(change.state);
        count(letters_[seat], 1);
        list += list.empty() ? "[" : ",";
        list += "{\"seat\":" + std::to_string(change.seat) + ",\"state\":\"" + letters_[seat] +
                "\",\"version\":" + std::to_string(change.version) + "}";
    }
    if (list.empty()) return;
    ++revision_;
    changes_.publish(event_frame("seats", list + "]", std::to_string(revision_)));
}

Won SeatMap::price_of(const std::vector<std::int64_t>& seats) const {
    Won total;
    for (const std::int64_t seat : seats)
        if (const SeatPlace place = place_of(event_.layout, seat); place.section)
            total = total + place.section->price;
    return total;
}

// FNV-1a over the letters and versions of each section.
std::string SeatMap::digest() const {
    std::string list = "[";
    std::size_t at = 0;
    for (const Section& section : event_.layout.sections) {
        std::uint64_t hash = 0xcbf29ce484222325ull;
        const auto end = at + std::size_t(section.rows) * std::size_t(section.seats_per_row);
        for (; at < end; ++at)
            hash = (hash ^ (std::uint64_t(letters_[at]) + std::uint64_t(versions_[at]) * 256)) *
                   0x100000001b3ull;
        if (list.size() > 1) list += ',';
        list += std::to_string(hash >> 12); // 52 bits: what a browser's numbers hold
    }
    return list + "]";
}

void SeatMap::publish_digest() {
    if (listeners() > 0) changes_.publish(event_frame("digest", digest()));
}

std::unique_ptr<Stream> SeatMap::subscribe() {
    return changes_.subscribe(event_frame("digest", digest(), std::to_string(revision_)));
}

} // namespace urr::ticket
