#include "services/queue/store/redis_records.hpp"

#include <charconv>
#include <map>

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

namespace {

std::string lever_word(std::int64_t number) { return std::to_string(number); }
std::string lever_word(bool yes) { return yes ? "1" : "0"; }
std::string lever_word(RoomLever room) { return word(std::uint64_t(room)); }
std::string lever_word(const std::string& text) { return text; }

void read_lever(std::string_view text, std::int64_t& number) {
    number = std::int64_t(number_of(text));
}
void read_lever(std::string_view text, bool& yes) { yes = text == "1"; }
void read_lever(std::string_view text, RoomLever& room) {
    room = RoomLever(std::min<std::uint64_t>(2, number_of(text)));
}
void read_lever(std::string_view text, std::string& message) { message = text; }

std::string pull_field(std::string_view lever) { return std::string(lever) + "_pull"; }

} // namespace

HallRecord hall_of(const std::vector<Reply>& fields) {
    std::map<std::string_view, std::string_view> all;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) all[fields[i].text] = fields[i + 1].text;
    const auto text_of = [&](std::string_view name) { // what is absent reads as 0
        const auto at = all.find(name);
        return at == all.end() ? std::string_view() : at->second;
    };
    HallRecord hall;
    hall.epoch = hall.seen.epoch = number_of(text_of("epoch"));
    hall.admits_from = instant_of(text_of("admits_from"));
    each_lever([&](std::string_view name, auto lever, auto pull, auto) {
        if (all.contains(name)) read_lever(text_of(name), hall.levers.*lever);
        hall.levers.pulls.*pull = number_of(text_of(pull_field(name)));
    });
    hall.levers_told = instant_of(text_of("levers_told"));
    hall.awaits = {id_of(text_of("awaits"))};
    hall.seen.phase = std::uint32_t(number_of(text_of("seen_phase")));
    hall.seen.next = number_of(text_of("seen_next"));
    hall.seen.serving = number_of(text_of("seen_serving"));
    hall.seen.voids_served = number_of(text_of("seen_voids"));
    return hall;
}

std::vector<std::string> hall_words(const HallRecord& hall) {
    std::vector<std::string> words{
        "epoch",        word(hall.epoch),        "admits_from", word(hall.admits_from),
        "seen_phase",   word(hall.seen.phase),   "seen_next",   word(hall.seen.next),
        "seen_serving", word(hall.seen.serving), "seen_voids",  word(hall.seen.voids_served)};
    const auto levers = pulled_words(hall.levers);
    for (std::size_t i = 0; i < levers.size(); i += 3)
        words.insert(words.end(), {levers[i], levers[i + 1], pull_field(levers[i]), levers[i + 2]});
    return words;
}

std::vector<std::string> pulled_words(const Levers& levers) {
    std::vector<std::string> words;
    each_lever([&](std::string_view name, auto lever, auto pull, auto) {
        words.emplace_back(name);
        words.push_back(lever_word(levers.*lever));
        words.push_back(word(levers.pulls.*pull));
    });
    return words;
}

std::vector<std::string> pull_words(const Pull& pull) {
    std::vector<std::string> words;
    each_lever([&](std::string_view name, auto, auto, auto wanted) {
        if (!(pull.*wanted)) return;
        words.emplace_back(name);
        words.push_back(lever_word(*(pull.*wanted)));
    });
    return words;
}

} // namespace urr::queue
