#include "services/payment/tickets_client.hpp"

#include "libs/contract/answer.hpp"

namespace urr::payment {

namespace {

struct OrderAnswer {
    static constexpr bool open = true;
    AccountId account;
    Won amount;
    Instant expires;
};
template <class Archive>
void describe(Archive& a, OrderAnswer& v) {
    a.field("accountId", v.account);
    a.field("amount", v.amount);
    a.field("expiresAt", v.expires);
}

class TicketsClient final : public Tickets {
public:
    TicketsClient(Transport& transport, CallerKey key, const Clock& clock)
        : transport_(transport), key_(std::move(key)), clock_(clock) {}

    Task<Result<BegunPayment>> begin(Context context, OrderId order, PaymentId attempt) override {
        const std::string path = "/internal/reservations/" + order.text() + "/begin-payment";
        const std::string body = "{\"attemptId\":\"" + attempt.text() + "\"}";
        const std::string answer = TRY(co_await ask(context, Method::post, path, body));
        co_return TRY(read_json<BegunPayment>(answer));
    }
    Task<Result<Order>> order(Context context, OrderId id) override {
        const std::string path = "/internal/reservations/" + id.text();
        const std::string answer = TRY(co_await ask(context, Method::get, path, ""));
        const auto read = TRY(read_json<OrderAnswer>(answer));
        co_return Order{id, read.account, read.amount, read.expires, OrderState::open};
    }

private:
    Task<Result<std::string>> ask(Context context, Method method, std::string_view path,
                                  std::string_view body) {
        Request request;
        request.method = method;
        request.target = request.path = path;
        request.body = body;
        request.add_header("Content-Type", type_json);
        const CallerHeaders headers(key_, "ticket", Principal{}, request, clock_.now());
        headers.attach(request);
        co_return body_of(co_await transport_.send(context, request));
    }

    Transport& transport_;
    const CallerKey key_;
    const Clock& clock_;
};

} // namespace

std::unique_ptr<Tickets> make_tickets_client(Transport& transport, CallerKey key,
                                             const Clock& clock) {
    return std::make_unique<TicketsClient>(transport, std::move(key), clock);
}

} // namespace urr::payment
