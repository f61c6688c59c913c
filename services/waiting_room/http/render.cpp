#include "services/waiting_room/http/render.hpp"

#include "services/waiting_room/domain/hints.hpp"

namespace urr::waiting_room {

namespace {

// ,"serving":..,"ahead":..,"waitSeconds":..,"pollAfterSeconds":..}
void append_prospect(ShortText& out, const Receipt& receipt, const RoomView& view) {
    const std::uint64_t ahead =
        ahead_of(view.turn_of(receipt), receipt.voids_before, view.serving, view.voids_served);
    const WaitSeconds wait = wait_seconds(ahead, view.moving());
    out.append(",\"serving\":");
    append_number(out, view.serving);
    out.append(",\"ahead\":");
    append_number(out, ahead);
    if (wait.known) {
        out.append(",\"waitSeconds\":{\"low\":");
        append_number(out, wait.low);
        out.append(",\"high\":");
        append_number(out, wait.high);
        out.append("},\"pollAfterSeconds\":");
    } else {
        out.append(",\"waitSeconds\":null,\"pollAfterSeconds\":");
    }
    append_number(out, poll_after_seconds(ahead, wait, receipt.position));
    out.append("}");
}

} // namespace

void append_rest_of_place(std::string& to, const Receipt& receipt, const RoomView& view) {
    ShortText out;
    out.append("\",\"position\":");
    append_number(out, receipt.position);
    out.append(",\"epoch\":");
    append_number(out, receipt.epoch);
    append_prospect(out, receipt, view);
    to.append(out.view());
}

void append_place(std::string& to, std::string_view request_id, const Receipt& receipt,
                  const RoomView& view) {
    append_rest_of_place(to.append(place_begin).append(request_id), receipt, view);
}

void append_waiting(std::string& to, const Receipt& receipt, const RoomView& view) {
    ShortText out;
    out.append("{\"admitted\":false,\"position\":");
    append_number(out, receipt.position);
    append_prospect(out, receipt, view);
    to.append(out.view());
}

void append_status(std::string& out, const RoomView& view, std::uint64_t given) {
    const std::uint64_t next = view.leased ? view.lease_first + given : view.next;
    const std::uint64_t people = next - 1 > view.voids ? next - 1 - view.voids : 0;
    const std::uint64_t served = view.serving - view.voids_served;
    out.append(view.state == RoomState::off ? "{\"isActive\":false" : "{\"isActive\":true");
    out.append(",\"state\":\"").append(room_state_name(view.state)).append("\",\"epoch\":");
    append_number(out, view.epoch);
    out.append(",\"phase\":");
    append_number(out, view.phase);
    out.append(",\"serving\":");
    append_number(out, view.serving);
    out.append(",\"voidsServed\":");
    append_number(out, view.voids_served);
    out.append(",\"nextPosition\":");
    append_number(out, next);
    out.append(",\"waiting\":");
    append_number(out, people > served ? people - served : 0);
    out.append(",\"rate\":");
    append_number(out, view.moving());
    out.append(view.state == RoomState::sold_out ? ",\"soldOut\":true" : ",\"soldOut\":false");
    out.append(",\"updatedAt\":\"").append(to_rfc3339(view.updated)).append("\"}");
}

} // namespace urr::waiting_room
