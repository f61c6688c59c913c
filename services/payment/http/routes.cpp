#include "services/payment/http/routes.hpp"

#include "libs/core/json.hpp"
#include "libs/security/mac.hpp"

namespace urr::payment {

namespace {

struct ConfirmBody {
    std::string card_number;
    std::optional<Won> amount; // what the fan was shown
};
template <class Archive>
void describe(Archive& a, ConfirmBody& v) {
    a.field("cardNumber", v.card_number, Limits{.min = 12, .max = 19});
    a.field("amount", v.amount, Limits{.min = 0});
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

std::string order_json(const Order& order) {
    constexpr std::string_view states[] = {"open", "withdrawn", "captured", "cancelled"};
    return "{\"orderId\":\"" + order.id.text() +
           "\",\"amount\":" + std::to_string(order.amount.amount) +
           ",\"currency\":\"KRW\",\"expiresAt\":\"" + to_rfc3339(order.expires) +
           "\",\"state\":\"" + std::string(states[std::size_t(order.state)]) + "\"}";
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::prepare>(Method::post, "/api/v1/payments/{orderId}/prepare", *this);
    router.add<&Routes::confirm>(Method::post, "/api/v1/payments/{orderId}/confirm", *this);
    router.add<&Routes::cancel>(Method::post, "/api/v1/payments/{orderId}/cancel", *this);
    router.add<&Routes::mine>(Method::get, "/api/v1/payments/mine", *this);
    router.add<&Routes::one>(Method::get, "/api/v1/payments/{id}", *this);
}

Task<Result<Response>> Routes::prepare(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<OrderId>(request.parameters[0]));
    const Order order = TRY(co_await service_.prepare(context, id));
    co_return json_response(200, order_json(order));
}

Task<Result<Response>> Routes::cancel(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<OrderId>(request.parameters[0]));
    co_return json_response(200, order_json(TRY(co_await service_.cancel(context, id))));
}

void Webhooks::add_to(Router& router) {
    router.add<&Webhooks::tell>(Method::post, "/api/v1/payments/webhooks/{provider}", *this);
}

Task<Result<Response>> Webhooks::tell(Context context, Request request) {
    if (request.parameters[0] != "sandbox") co_return fail(Code::NOT_FOUND);
    if (auto genuine =
            check_signature(secret_, request.header(signature_header), request.body, clock_.now());
        !genuine) {
        service_.metrics().forged.add();
        co_return fail(std::move(genuine).error());
    }
    const Callback callback = TRY(read_json<Callback>(request.body));
    TRY(co_await service_.take(context, callback));
    co_return json_response(200, R"({"received":true})");
}

Task<Result<Response>> Routes::confirm(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<OrderId>(request.parameters[0]));
    const std::string_view header = request.header("Idempotency-Key");
    TRY(check_idempotency_key(header));
    if (!request.header("Content-Type").starts_with(type_json))
        co_return fail(Code::UNSUPPORTED_MEDIA_TYPE);
    ConfirmBody body = TRY(read_json<ConfirmBody>(request.body));
    // The path names the order: the same card and key for another order is another request.
    IdempotencyKey key{context.principal.account, "confirmPayment", std::string(header),
                       body_key_.code(std::string(request.path).append("\n").append(request.body))};
    const Attempt attempt = TRY(co_await service_.confirm(context, id, std::move(body.card_number),
                                                          body.amount, std::move(key)));
    co_return json_response(200, attempt_json(attempt));
}

Task<Result<Response>> Routes::mine(Context context, Request request) {
    TRY(need_user(context));
    const Page page = TRY(page_of(request.query));
    auto attempts = TRY(co_await service_.payments(context, page));
    const auto next = cut_page(attempts, page);
    std::string items;
    for (const Attempt& attempt : attempts)
        items += (items.empty() ? "" : ",") + attempt_json(attempt);
    co_return json_response(200, page_json(items, next));
}

Task<Result<Response>> Routes::one(Context context, Request request) {
    TRY(need_user(context));
    const auto id = TRY(id_of<PaymentId>(request.parameters[0]));
    co_return json_response(200, attempt_json(TRY(co_await service_.payment(context, id))));
}

} // namespace urr::payment
