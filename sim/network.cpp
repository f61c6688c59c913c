#include "sim/network.hpp"

#include <algorithm>

namespace urr::sim {

// One request on its way: a copy of its own, since the sender may be gone before it is served.
struct Network::Call {
    Method method;
    std::string target, path, query, body;
    std::vector<std::pair<std::string, std::string>> headers;
    Address peer;
    Loop* caller_loop;
    Gate answered;
    std::optional<Result<Response>> answer;

    Call(const Request& from, Loop& caller)
        : method(from.method), target(from.target), path(from.path), query(from.query),
          body(from.body), peer(from.peer), caller_loop(&caller) {
        for (const Header& header : from.headers())
            headers.emplace_back(std::string(header.name), std::string(header.value));
    }
    Request request() const {
        Request r;
        r.method = method;
        r.target = target;
        r.path = path;
        r.query = query;
        r.body = body;
        r.peer = peer;
        for (const auto& [name, value] : headers) r.add_header(name, value);
        return r;
    }
    // The first answer counts.
    void settle(Result<Response> with) {
        if (answer) return;
        answer = std::move(with);
        Loop::Enter in(caller_loop);
        answered.open();
    }
};

// Stands in the frame that serves a request: gone before the answer, the connection breaks.
struct Network::Hangup {
    Network& network;
    std::shared_ptr<Call> call;
    bool heard;
    Hangup(Network& in, std::shared_ptr<Call> of, bool is_heard)
        : network(in), call(std::move(of)), heard(is_heard) {
        ++network.serving_;
    }
    ~Hangup() {
        --network.serving_;
        if (!call || !heard) return;
        network.counts_.add(Fault::connection_broken);
        call->settle(fail(Code::OUTCOME_UNKNOWN, "the connection broke off"));
    }
};

class Wire final : public Transport {
public:
    Wire(Network& network, Endpoint& to) : network_(network), to_(to) {}
    Task<Result<Response>> send(Context context, Request request) override {
        auto call = std::make_shared<Network::Call>(request, Loop::here());
        network_.dispatch(to_, call);
        Context until;
        until.deadline = std::min(context.deadline, Loop::here().now() + Network::answer_timeout);
        if (!co_await call->answered.wait(until))
            co_return fail(Code::DEADLINE_EXCEEDED, "no answer came");
        co_return std::move(*call->answer);
    }

private:
    Network& network_;
    Endpoint& to_;
};

std::unique_ptr<Transport> Network::connect(Endpoint& to) {
    return std::make_unique<Wire>(*this, to);
}

Duration Network::delay() {
    return microseconds(world_.random().between(20, faults_.delay_us_max));
}

void Network::dispatch(Endpoint& to, std::shared_ptr<Call> call) {
    Random& random = world_.random();
    Loop::Enter in(&loop_);
    if (random.chance(faults_.lost_request_permille)) {
        counts_.add(Fault::request_lost);
        return; // the sender waits in vain
    }
    const bool heard = !random.chance(faults_.lost_answer_permille);
    if (!heard) counts_.add(Fault::answer_lost);
    if (random.chance(faults_.doubled_permille)) {
        counts_.add(Fault::request_doubled);
        nursery_.spawn(travel(*this, to, call, heard, delay()));
    }
    nursery_.spawn(travel(*this, to, std::move(call), heard, delay()));
}

Task<> Network::travel(Network& network, Endpoint& to, std::shared_ptr<Call> call, bool heard,
                       Duration takes) {
    (void)co_await sleep(Context{}, takes);
    if (!to.handler) {
        call->settle(fail(Code::UNAVAILABLE, "nobody listens"));
        co_return;
    }
    Loop::Enter in(to.loop);
    to.nursery->spawn(serve(network, *to.handler, std::move(call), heard));
}

// What a hot handler writes is HTTP: taken apart again.
static Response parse_response(std::string_view text) {
    Response response;
    const std::size_t head = text.find("\r\n\r\n");
    response.status = int(text[9] - '0') * 100 + int(text[10] - '0') * 10 + int(text[11] - '0');
    const std::size_t first = text.find("\r\n") + 2;
    response.headers = text.substr(first, head + 2 - first);
    response.body = text.substr(head + 4);
    return response;
}

Task<> Network::serve(Network& network, HttpHandler& handler, std::shared_ptr<Call> call,
                      bool heard) {
    Hangup hangup(network, call, heard);
    const Request request = call->request();
    std::string at_once;
    Response response;
    if (handler.answer_at_once(request, at_once)) {
        response = parse_response(at_once);
    } else {
        Context context;
        context.deadline = Loop::here().now() + answer_timeout;
        response = co_await handler.handle(context, request);
    }
    hangup.heard = false;
    if (!heard) co_return;
    Loop::Enter in(&network.loop_);
    network.nursery_.spawn(travel_back(std::move(call), std::move(response), network.delay()));
}

Task<> Network::travel_back(std::shared_ptr<Call> call, Response response, Duration takes) {
    (void)co_await sleep(Context{}, takes);
    call->settle(std::move(response));
}

} // namespace urr::sim
