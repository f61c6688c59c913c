// The door: the waiting room's HTTP face on one loop. Each loop has its own, so that its limiter
// and its rendered status belong to that loop alone.
//
//     POST /vwr/assign/{eventId}              a place; the receipt as requestId and as a cookie
//     GET  /vwr/status/{eventId}              the room, the same for everybody, for one second
//     GET  /vwr/check/{eventId}/{requestId}   served? then a token
//     PUT  /vwr/rooms/{eventId}               queue's report, with its assertion
//     GET  /vwr/{eventId}, /vwr/assets/{file} the waiting page
//
// assign, status and check of an unserved number are answered at once, without coroutine or
// allocation; whatever is not plain (a lease to wait for, a refusal, a token) takes the routes.
#pragma once
#include <memory>

#include "libs/contract/caller.hpp"
#include "libs/http/client_address.hpp"
#include "libs/http/router.hpp"
#include "libs/http/server.hpp"
#include "services/waiting_room/http/address_limit.hpp"
#include "services/waiting_room/service.hpp"

namespace urr::waiting_room {

struct DoorSettings {
    std::string public_prefix = "/vwr-api"; // under which browsers see /vwr
    bool secure_cookies = true;
    AddressLimitSettings assign_limit;
    TrustedProxies trusted;
};

class Door final : public HttpHandler {
public:
    // `callers`: the keys of those who may speak to vwr; only queue may steer.
    Door(WaitingRoom& rooms, const CallerKeys& callers, const Clock& clock, Loop& loop,
         const DoorSettings& settings, std::uint64_t seed);

    bool answer_at_once(const Request& request, std::string& out) override;
    Task<Response> handle(Context context, Request request) override;
    const Router& router() const { return router_; }
    const DoorCounters& counters() const { return counters_; }

private:
    // A room's status response, rendered at most every 100 ms or when the room has changed.
    struct Status {
        std::uint64_t version = 0;
        Instant rendered;
        std::string body;
        std::string answer; // with its head
    };

    bool hot_assign(const Request& request, std::string_view event_text, std::string& out);
    bool hot_status(std::string_view event_text, std::string_view date, std::string& out);
    bool hot_check(std::string_view rest, std::string_view date, std::string& out);
    SharedRoom* room_of(std::string_view event_text);
    std::string_view created_head(std::string_view date);
    Status& current_status(SharedRoom& room);
    const std::string& status_body(SharedRoom& room);
    const std::string& status_answer(SharedRoom& room, std::string_view date);

    Task<Result<Response>> assign(Context context, Request request);
    Task<Result<Response>> status(Context context, Request request);
    Task<Result<Response>> check(Context context, Request request);
    Task<Result<Response>> steer(Context context, Request request);
    Task<Result<Response>> page(Context context, Request request);
    Task<Result<Response>> asset(Context context, Request request);

    void append_receipt_cookie(std::string& out, std::string_view event_text,
                               std::string_view receipt) const;

    WaitingRoom& rooms_;
    const CallerKeys& callers_;
    const Clock& clock_;
    Loop& loop_;
    DoorSettings settings_;
    const std::string cookie_path_, cookie_end_; // of a receipt's cookie, around the event
    AddressLimit assign_limit_;
    static constexpr std::size_t id_size = 36;
    SharedRoom* last_room_ = nullptr; // rooms stay until the process ends
    std::array<char, id_size> last_text_{};
    std::string between_receipts_; // of the last room
    std::string created_head_;     // of this second
    std::vector<Status> statuses_; // by the room's index
    Router router_;
    DoorCounters counters_;
};

} // namespace urr::waiting_room
