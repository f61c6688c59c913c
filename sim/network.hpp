// The network between simulated processes: a request travels, is lost or doubled, is served in the
// nursery of the process that listens, and its answer travels back or is lost. When a process dies,
// the requests that it was serving break off.
//
//     Network network(world, trace, counts);
//     auto to_gateway = network.connect(front.endpoint());
//     Result<Response> answer = co_await to_gateway->send(context, request);
//
// Errors are those of connect_http: UNAVAILABLE (nobody listens), OUTCOME_UNKNOWN (broken off),
// DEADLINE_EXCEEDED (no answer came). One thread.
#pragma once
#include <memory>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/http/client.hpp"
#include "sim/faults.hpp"

namespace urr::sim {

// Where a process listens: stays the same over its lives.
struct Endpoint {
    HttpHandler* handler = nullptr; // nullptr: nobody listens
    Loop* loop = nullptr;
    Nursery* nursery = nullptr;
};

struct NetworkFaults {
    unsigned lost_request_permille = 0, lost_answer_permille = 0, doubled_permille = 0;
    std::int64_t delay_us_max = 2'000;
};

class Network {
public:
    static constexpr Duration answer_timeout = seconds(10);

    Network(SimWorld& world, FaultCounts& counts) : world_(world), loop_(world), counts_(counts) {}
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    std::unique_ptr<Transport> connect(Endpoint& to);
    void set(const NetworkFaults& faults) { faults_ = faults; }
    // Requests that are being served now, anywhere.
    int serving() const { return serving_; }
    // What is on its way is lost.
    void clear() { nursery_.clear(); }

private:
    friend class Wire;
    struct Call;
    struct Hangup;
    Duration delay();
    void dispatch(Endpoint& to, std::shared_ptr<Call> call);
    static Task<> travel(Network& network, Endpoint& to, std::shared_ptr<Call> call, bool heard,
                         Duration takes);
    static Task<> serve(Network& network, HttpHandler& handler, std::shared_ptr<Call> call,
                        bool heard);
    static Task<> travel_back(std::shared_ptr<Call> call, Response response, Duration takes);

    SimWorld& world_;
    SimLoop loop_;
    FaultCounts& counts_;
    NetworkFaults faults_;
    int serving_ = 0;
    Nursery nursery_;
};

} // namespace urr::sim
