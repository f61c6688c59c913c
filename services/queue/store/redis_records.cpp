#include "services/queue/store/redis_records.hpp"

#include <charconv>

namespace urr::queue {

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

IdBytes id_of(std::string_view text) { return parse_id(text).value_or(IdBytes{}); }

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t space = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, space));
        text.remove_prefix(std::min(space + 1, text.size()));
    }
    return words;
}

Result<Member> member_of(std::string_view record, Instant seen) {
    const auto w = words_of(record);
    if (w.size() != 10) return fail(Code::BAD_GATEWAY, "a member of another form");
    Member m;
    m.place = {number_of(w[0]), std::uint32_t(number_of(w[1])), number_of(w[2]), number_of(w[3])};
    m.state = MemberState(std::min<std::uint64_t>(2, number_of(w[4])));
    m.entry = id_of(w[5]);
    m.admitted = instant_of(w[6]);
    m.until = instant_of(w[7]);
    read_fetched(number_of(w[8]), m);
    m.receipt = id_of(w[9]);
    m.seen = seen;
    return m;
}

HallRecord hall_of(const std::vector<Reply>& fields) {
    HallRecord hall;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        const std::string& name = fields[i].text;
        const std::string& value = fields[i + 1].text;
        if (name == "epoch") hall.epoch = hall.seen.epoch = number_of(value);
        if (name == "admits_from") hall.admits_from = instant_of(value);
        if (name == "threshold") hall.levers.threshold = std::int64_t(number_of(value));
        if (name == "per_second") hall.levers.per_second = std::int64_t(number_of(value));
        if (name == "paused") hall.levers.paused = value == "1";
        if (name == "room")
            hall.levers.room = RoomLever(std::min<std::uint64_t>(2, number_of(value)));
        if (name == "message") hall.levers.message = value;
        if (name == "threshold_pull") hall.levers.pulls.threshold = number_of(value);
        if (name == "per_second_pull") hall.levers.pulls.per_second = number_of(value);
        if (name == "paused_pull") hall.levers.pulls.paused = number_of(value);
        if (name == "room_pull") hall.levers.pulls.room = number_of(value);
        if (name == "message_pull") hall.levers.pulls.message = number_of(value);
        if (name == "levers_told") hall.levers_told = instant_of(value);
        if (name == "awaits") hall.awaits = {id_of(value)};
        if (name == "seen_phase") hall.seen.phase = std::uint32_t(number_of(value));
        if (name == "seen_next") hall.seen.next = number_of(value);
        if (name == "seen_serving") hall.seen.serving = number_of(value);
        if (name == "seen_voids") hall.seen.voids_served = number_of(value);
    }
    return hall;
}

std::vector<std::string> hall_words(const HallRecord& hall) {
    std::vector<std::string> words{
        "epoch",        word(hall.epoch),        "admits_from", word(hall.admits_from),
        "seen_phase",   word(hall.seen.phase),   "seen_next",   word(hall.seen.next),
        "seen_serving", word(hall.seen.serving), "seen_voids",  word(hall.seen.voids_served)};
    const auto levers = pulled_words(hall.levers);
    for (std::size_t i = 0; i < levers.size(); i += 3)
        words.insert(words.end(), {levers[i], levers[i + 1], levers[i] + "_pull", levers[i + 2]});
    return words;
}

std::vector<std::string> pulled_words(const Levers& levers) {
    const PullNumbers& pulls = levers.pulls;
    return {"threshold",
            std::to_string(levers.threshold),
            word(pulls.threshold),
            "per_second",
            std::to_string(levers.per_second),
            word(pulls.per_second),
            "paused",
            levers.paused ? "1" : "0",
            word(pulls.paused),
            "room",
            word(std::uint64_t(levers.room)),
            word(pulls.room),
            "message",
            levers.message,
            word(pulls.message)};
}

std::vector<std::string> pull_words(const Pull& pull) {
    std::vector<std::string> words;
    const auto set = [&](const char* name, std::string value) {
        words.emplace_back(name);
        words.push_back(std::move(value));
    };
    if (pull.threshold) set("threshold", std::to_string(*pull.threshold));
    if (pull.per_second) set("per_second", std::to_string(*pull.per_second));
    if (pull.paused) set("paused", *pull.paused ? "1" : "0");
    if (pull.room) set("room", word(std::uint64_t(*pull.room)));
    if (pull.message) set("message", *pull.message);
    return words;
}

} // namespace urr::queue
