#include "services/waiting_room/service.hpp"

namespace urr::waiting_room {

namespace {

constexpr Duration token_life = minutes(10);

// Waits for a lease as long as it takes, or until the context's deadline.
Task<Result<Receipt>> take_place(Context context, Keeper& keeper, SharedRoom& room) {
    for (;;) {
        if (const auto receipt = room.dispenser.take(Loop::here().now())) co_return *receipt;
        const RoomState state = room.view.read().state;
        if (state == RoomState::sold_out) co_return fail(Code::SOLD_OUT);
        if (state == RoomState::off) co_return fail(Code::ROOM_CHANGED);
        const std::uint32_t failures = room.failures.load(std::memory_order_acquire);
        keeper.want_lease(room);
        TRY(co_await room.bell.wait(context));
        if (room.failures.load(std::memory_order_acquire) != failures)
            co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    }
}

} // namespace

Task<Result<Placed>> WaitingRoom::assign(Context context, EventId event, std::string_view shown) {
    SharedRoom* room = rooms_.find(event);
    if (!room) co_return fail(Code::NOT_FOUND);
    RoomView view = room->view.read();
    std::optional<Receipt> receipt;
    if (!shown.empty()) {
        receipt = read_receipt(receipt_keys_, event, shown);
        if (!receipt) co_return fail(Code::RECEIPT_INVALID);
        if (!current(*receipt, view)) receipt.reset();
    }
    if (view.state == RoomState::sold_out) co_return fail(Code::SOLD_OUT);
    const bool repeated = receipt.has_value();
    if (!receipt) {
        if (view.state == RoomState::off)
            receipt = pass_by(view);
        else
            receipt = TRY(co_await take_place(context, keeper_, *room));
        view = room->view.read();
    }
    co_return Placed{write_receipt(receipt_keys_, event, *receipt), *receipt, view, repeated};
}

Task<Result<Checked>> WaitingRoom::check(Context, EventId event, std::string_view text) {
    SharedRoom* room = rooms_.find(event);
    if (!room) co_return fail(Code::NOT_FOUND);
    const std::optional<Receipt> receipt = read_receipt(receipt_keys_, event, text);
    if (!receipt) co_return fail(Code::RECEIPT_INVALID);
    const RoomView view = room->view.read();
    if (view.state == RoomState::off)
        co_return Checked{*receipt, view, token(event, *receipt, view)};
    if (!current(*receipt, view)) co_return fail(Code::ROOM_CHANGED);
    if (view.turn_of(*receipt) <= view.serving) {
        if (keeper_.counts_no_shows())
            co_await keeper_.came(event, receipt->epoch, receipt->position);
        co_return Checked{*receipt, view, token(event, *receipt, view)};
    }
    if (view.state == RoomState::sold_out) co_return fail(Code::SOLD_OUT);
    co_return Checked{*receipt, view, {}};
}

// For those who come while the room is off: no place, but an id of its own.
Receipt WaitingRoom::pass_by(const RoomView& view) {
    Receipt receipt;
    receipt.epoch = view.epoch;
    receipt.phase = view.phase;
    receipt.second = std::uint64_t(clock_.now().us / 1'000'000);
    receipt.id = make_id_bytes(clock_.now(), random_);
    return receipt;
}

std::string WaitingRoom::token(const EventId& event, const Receipt& receipt,
                               const RoomView& view) const {
    Claims claims;
    claims.type = TokenType::vwr;
    claims.id = receipt.id;
    claims.event = event;
    claims.issued = clock_.now();
    claims.expires = claims.issued + token_life;
    claims.epoch = view.epoch;
    claims.phase = receipt.phase;
    claims.position = view.state == RoomState::off ? 0 : receipt.position;
    return sign_token(token_key_, claims);
}

} // namespace urr::waiting_room
