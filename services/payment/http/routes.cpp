#include "services/payment/http/routes.hpp"

#include "libs/core/json.hpp"
#include "libs/security/mac.hpp"

namespace urr::payment {

namespace {

struct ConfirmBody {
    std::string card_number;
};
template <class Archive>
void describe(Archive& a, ConfirmBody& v) {
    a.field("cardNumber", v.card_number, Limits{.min = 12, .max = 19});
}

template <class IdType>
Result<IdType> id_of(std::string_view text) {
    const auto id = IdType::parse(text);
    if (!id) return fail(Code::NOT_FOUND);
    return *id;
}

Result<> need_user(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    return {};
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::prepare>(Method::post, "/api/v1/payments/{orderId}/prepare", *this);
    router.add<&Routes::confirm>(Method::post, "/api/v1/payments/{orderId}/confirm", *this);
    router.add<&Routes::mine>(Method::get, "/api/v1/payments/mine", *this);
    router.add<&Routes::one>(Method::get, "/api/v1/payments/{id}", *this);
}

Task<Result<Response>> Routes::prepare(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<OrderId>(request.parameters[0]));
    const Order order = TRY(co_await service_.prepare(context, id));
    constexpr std::string_view states[] = {"open", "withdrawn", "captured"};
    co_return json_response(200, "{\"orderId\":\"" + order.id.text() +
                                     "\",\"amount\":" + std::to_string(order.amount.amount) +
                                     ",\"currency\":\"KRW\",\"expiresAt\":\"" +
                                     to_rfc3339(order.expires) + "\",\"state\":\"" +
                                     std::string(states[std::size_t(order.state)]) + "\"}");
}

Task<Result<Response>> Routes::confirm(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<OrderId>(request.parameters[0]));
    const std::string_view header = request.header("Idempotency-Key");
    TRY(check_idempotency_key(header));
    if (!request.header("Content-Type").starts_with(type_json))
        co_return fail(Code::UNSUPPORTED_MEDIA_TYPE);
    ConfirmBody body = TRY(read_json<ConfirmBody>(request.body));
    IdempotencyKey key{context.principal.account, "confirmPayment", std::string(header),
                       sha256(request.body)};
    const Attempt attempt =
        TRY(co_await service_.confirm(context, id, std::move(body.card_number), std::move(key)));
    co_return json_response(200, attempt_json(attempt));
}

Task<Result<Response>> Routes::mine(Context context, Request) {
    TRY(need_user(context));
    std::string list;
    for (const Attempt& attempt : TRY(co_await service_.payments(context)))
        list += (list.empty() ? "" : ",") + attempt_json(attempt);
    co_return json_response(200, "{\"items\":[" + list + "]}");
}

Task<Result<Response>> Routes::one(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<PaymentId>(request.parameters[0]));
    co_return json_response(200, attempt_json(TRY(co_await service_.payment(context, id))));
}

} // namespace urr::payment
