// The waiting room's use cases, shared by all loops: take a place, ask whether it is served, see
// the room. None of them stores anything per person.
#pragma once
#include "libs/core/clock.hpp"
#include "libs/security/jwt.hpp"
#include "services/waiting_room/keeper.hpp"

namespace urr::waiting_room {

struct Placed {
    ReceiptText text;
    Receipt receipt;
    RoomView view;
    bool repeated = false; // the place was his already
};

struct Checked {
    Receipt receipt;
    RoomView view;
    std::string token; // empty: not yet
};

class WaitingRoom {
public:
    WaitingRoom(RoomTable& rooms, Keeper& keeper, const Clock& clock, Random& random,
                ReceiptKeys receipt_keys, SigningKey token_key)
        : rooms_(rooms), keeper_(keeper), clock_(clock), random_(random),
          receipt_keys_(std::move(receipt_keys)), token_key_(std::move(token_key)) {}

    // `shown`: a receipt that the caller brought on purpose; RECEIPT_INVALID when it is none of
    // ours. A current one gives its place again, one of an older epoch a new place. SOLD_OUT,
    // NOT_FOUND; UNAVAILABLE or DEADLINE_EXCEEDED when no lease can be had.
    Task<Result<Placed>> assign(Context context, EventId event, std::string_view shown);
    // RECEIPT_INVALID, ROOM_CHANGED, SOLD_OUT, NOT_FOUND. A token for whoever is served, and for
    // everybody while the room is off.
    Task<Result<Checked>> check(Context context, EventId event, std::string_view receipt);

    // Nothing waits in these; for the door.
    SharedRoom* find(const EventId& event) const { return rooms_.find(event); }
    const ReceiptKeys& keys() const { return receipt_keys_; }
    // Does the receipt hold a place in the room as it is now?
    static bool current(const Receipt& receipt, const RoomView& view) {
        return receipt.epoch == view.epoch &&
               (receipt.position != 0 || view.state == RoomState::off);
    }

    Keeper& keeper() { return keeper_; }

private:
    Receipt pass_by(const RoomView& view);
    std::string token(const EventId& event, const Receipt& receipt, const RoomView& view) const;

    RoomTable& rooms_;
    Keeper& keeper_;
    const Clock& clock_;
    Random& random_;
    ReceiptKeys receipt_keys_;
    SigningKey token_key_;
};

} // namespace urr::waiting_room
