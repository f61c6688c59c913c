#include "services/waiting_room/http/door.hpp"

#include <cstring>

#include "services/waiting_room/http/render.hpp"

namespace urr::waiting_room {

namespace {

constexpr std::string_view assign_prefix = "/vwr/assign/";
constexpr std::string_view status_prefix = "/vwr/status/";
constexpr std::string_view check_prefix = "/vwr/check/";
constexpr Duration status_age_max = milliseconds(100);

constexpr std::string_view head_created =
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    "Cache-Control: no-store\r\nDate: ";
constexpr std::string_view head_waiting = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                          "Cache-Control: no-store\r\nDate: ";
constexpr std::string_view head_status = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                         "Cache-Control: public, max-age=1\r\nDate: ";
constexpr std::string_view cookie_name = "urr-receipt=";
constexpr std::string_view length_line = "\r\nContent-Length: 0000\r\n\r\n";

// Ends the head; answers where the body begins.
std::size_t append_length(std::string& out) {
    out.append(length_line);
    return out.size();
}

// Writes the body's length over the four zeros before it.
void set_length(std::string& out, std::size_t body_at) {
    std::size_t length = out.size() - body_at;
    for (std::size_t at = body_at - 5; length; length /= 10) out[at--] = char('0' + length % 10);
}

} // namespace

// In a sale nearly all requests name one event, in the same letters.
SharedRoom* Door::room_of(std::string_view event_text) {
    if (event_text.size() != id_size) return nullptr;
    if (last_room_ && std::memcmp(last_text_.data(), event_text.data(), id_size) == 0)
        return last_room_;
    const auto event = EventId::parse(event_text);
    SharedRoom* const room = event ? rooms_.find(*event) : nullptr;
    if (room) {
        last_room_ = room;
        std::memcpy(last_text_.data(), event_text.data(), id_size);
        // An answer to assign between its two receipts: the cookie's end, and the body's begin.
        between_receipts_.assign(cookie_path_).append(event_text).append(cookie_end_);
        between_receipts_.append(length_line).append(place_begin);
    }
    return room;
}

// An answer to assign before its first receipt; the same within a second.
std::string_view Door::created_head(std::string_view date) {
    const std::size_t before = head_created.size();
    const bool same = created_head_.size() > before &&
                      std::string_view(created_head_).substr(before).starts_with(date);
    if (!same)
        created_head_.assign(head_created)
            .append(date)
            .append("\r\nSet-Cookie: ")
            .append(cookie_name);
    return created_head_;
}

bool Door::answer_at_once(const Request& request, std::string& out) {
    const std::string_view path = request.path;
    if (request.method == Method::get) {
        if (path.starts_with(status_prefix))
            return hot_status(path.substr(status_prefix.size()), request.date, out);
        if (path.starts_with(check_prefix))
            return hot_check(path.substr(check_prefix.size()), request.date, out);
    } else if (request.method == Method::post && path.starts_with(assign_prefix)) {
        return hot_assign(request, path.substr(assign_prefix.size()), out);
    }
    return false;
}

bool Door::hot_assign(const Request& request, std::string_view event_text, std::string& out) {
    SharedRoom* const room = room_of(event_text);
    if (!room || !request.body.empty() || request.has_header("x-urr-receipt")) return false;
    const RoomView view = room->view.read();
    if (!gives_places(view.state)) return false;
    const Instant now = loop_.now();
    std::optional<Receipt> receipt;
    if (const std::string_view cookie = request.cookie("urr-receipt"); !cookie.empty()) {
        receipt = read_receipt(rooms_.keys(), room->event, cookie);
        if (receipt && !WaitingRoom::current(*receipt, view)) receipt.reset();
    }
    if (!receipt) {
        const Address client = settings_.trusted.client_of(request);
        if (!assign_limit_.allow(client, now)) return false;
        receipt = room->dispenser.take(now);
        if (!receipt) {
            assign_limit_.give_back(client); // the route that waits for a lease takes it again
            return false;
        }
        count(counters_.assigned);
    } else {
        count(counters_.repeated);
    }
    const ReceiptText text = write_receipt(rooms_.keys(), room->event, *receipt);
    const std::string_view request_id(text.data(), text.size());
    out.append(created_head(request.date)).append(request_id).append(between_receipts_);
    const std::size_t body_at = out.size() - place_begin.size();
    append_rest_of_place(out.append(request_id), *receipt, view);
    set_length(out, body_at);
    return true;
}

bool Door::hot_status(std::string_view event_text, std::string_view date, std::string& out) {
    SharedRoom* const room = room_of(event_text);
    if (!room) return false;
    count(counters_.statuses);
    out.append(status_answer(*room, date));
    return true;
}

bool Door::hot_check(std::string_view rest, std::string_view date, std::string& out) {
    if (rest.size() != id_size + 1 + receipt_text_size || rest[id_size] != '/') return false;
    SharedRoom* const room = room_of(rest.substr(0, id_size));
    if (!room) return false;
    const auto receipt = read_receipt(rooms_.keys(), room->event, rest.substr(id_size + 1));
    const RoomView view = room->view.read();
    if (!receipt || !gives_places(view.state) || !WaitingRoom::current(*receipt, view) ||
        view.turn_of(*receipt) <= view.serving)
        return false;
    count(counters_.checked);
    out.append(head_waiting).append(date);
    const std::size_t body_at = append_length(out);
    append_waiting(out, *receipt, view);
    set_length(out, body_at);
    return true;
}

Door::Status& Door::current_status(SharedRoom& room) {
    if (statuses_.size() <= room.index) statuses_.resize(room.index + 1);
    Status& status = statuses_[room.index];
    const std::uint64_t version = room.view.version();
    const Instant now = loop_.now();
    if (status.version != version || now - status.rendered > status_age_max) {
        status.body.clear();
        status.answer.clear();
        append_status(status.body, room.view.read(), room.dispenser.given());
        status.version = version;
        status.rendered = now;
    }
    return status;
}

const std::string& Door::status_body(SharedRoom& room) { return current_status(room).body; }

// The whole answer, with a Date that may be as old as the body.
const std::string& Door::status_answer(SharedRoom& room, std::string_view date) {
    Status& status = current_status(room);
    if (status.answer.empty()) {
        status.answer.append(head_status).append(date);
        const std::size_t body_at = append_length(status.answer);
        status.answer.append(status.body);
        set_length(status.answer, body_at);
    }
    return status.answer;
}

void Door::append_receipt_cookie(std::string& out, std::string_view event_text,
                                 std::string_view receipt) const {
    out.append(cookie_name).append(receipt).append(cookie_path_).append(event_text);
    out.append(cookie_end_);
}

} // namespace urr::waiting_room
