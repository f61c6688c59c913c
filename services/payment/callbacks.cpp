#include "services/payment/callbacks.hpp"

#include "libs/contract/answer.hpp"

namespace urr::payment {

Task<Result<void>> SignedCallbacks::receive(Context context, Callback callback) {
    const std::string body = to_json(callback);
    const std::string signature = sign_callback(secret_, body, clock_.now());
    Request request;
    request.method = Method::post;
    request.target = request.path = "/api/v1/payments/webhooks/sandbox";
    request.body = body;
    request.add_header("Content-Type", type_json);
    request.add_header(signature_header, signature);
    const CallerHeaders headers(caller_, "payment", Principal{}, request, clock_.now());
    headers.attach(request);
    TRY(body_of(co_await payment_.send(context, request)));
    co_return Result<void>{};
}

} // namespace urr::payment
