#include "services/queue/http/render.hpp"

#include <cstdio>

namespace urr::queue {

namespace {

std::string number(std::string_view name, std::int64_t value) {
    return ",\"" + std::string(name) + "\":" + std::to_string(value);
}
std::string flag(std::string_view name, bool value) {
    return ",\"" + std::string(name) + (value ? "\":true" : "\":false");
}
std::string real(std::string_view name, double value) {
    char text[64];
    std::snprintf(text, sizeof text, ",\"%.*s\":%.2f", int(name.size()), name.data(), value);
    return text;
}
std::string message_member(const std::string& message) {
    if (message.empty()) return ",\"message\":null";
    std::string out = ",\"message\":";
    append_json_text(out, message);
    return out;
}

} // namespace

std::string render(const Standing& s) {
    if (s.active)
        return "{\"status\":\"active\",\"entryToken\":\"" + s.entry_token + "\",\"expiresAt\":\"" +
               to_rfc3339(s.expires) + "\"}";
    std::string body = "{\"status\":\"queued\",\"position\":" + std::to_string(s.ahead + 1);
    body += number("ahead", std::int64_t(s.ahead)) + number("behind", std::int64_t(s.behind));
    body += s.wait_seconds ? number("waitSeconds", *s.wait_seconds) : ",\"waitSeconds\":null";
    body += number("pollAfterSeconds", s.poll_after_seconds);
    body += flag("soldOut", s.sold_out) + flag("recovering", s.recovering);
    if (s.odds) body += real("odds", *s.odds);
    body += message_member(s.message);
    // Epoch, phase and number: what a client compares with the pairs of the stream.
    body += ",\"order\":[" + std::to_string(s.place.epoch) + "," + std::to_string(s.place.phase) +
            "," + std::to_string(s.place.number()) + "]";
    return body + ",\"place\":\"" + s.place_token + "\"}";
}

std::string render(const Overview& o, const Effect* effect, bool dry_run) {
    std::string body = "{\"waiting\":" + std::to_string(o.crowd.waiting);
    body += number("awake", o.crowd.awake) + number("active", o.crowd.active);
    body += number("inRoom", o.crowd.in_room) + number("threshold", o.levers.threshold);
    body += number("perSecond", o.levers.per_second) + flag("paused", o.levers.paused);
    body += ",\"state\":\"" + std::string(room_lever_names[std::size_t(o.levers.room)].name) + "\"";
    body += message_member(o.levers.message) + number("epoch", std::int64_t(o.epoch));
    body += real("admittedPerSecond", o.per_second) + flag("recovering", o.recovering);
    if (effect) {
        body += flag("dryRun", dry_run);
        body += ",\"effect\":{\"losePlaces\":" + std::to_string(effect->lose_places);
        body += number("loseSlots", effect->lose_slots);
        body += number("admittedNext", effect->admitted_next);
        body += number("overThreshold", effect->over_threshold);
        body += number("told", effect->told) + "}";
    }
    return body + "}";
}

std::string render(const std::vector<DoneAct>& acts) {
    std::string body = "{\"items\":[";
    for (const DoneAct& act : acts) {
        if (body.back() == '}') body += ',';
        body += "{\"at\":\"" + to_rfc3339(act.at) + "\",\"by\":\"" + act.by.text() +
                "\",\"act\":" + act.text + "}";
    }
    return body + "],\"nextCursor\":null}";
}

} // namespace urr::queue
