// What a loop's connections cost in memory beyond the usual, counted: see ServerLimits.
#pragma once
#include <cstdint>
#include <string>

#include "libs/http/server.hpp"

namespace urr {

// A part of something that is bounded, from when it is taken until it is given back.
class Share {
public:
    void take(std::size_t& of, std::size_t amount) {
        of_ = &of;
        amount_ = amount;
        of += amount;
    }
    void give_back() {
        if (of_) *of_ -= amount_;
        of_ = nullptr;
    }
    bool taken() const { return of_ != nullptr; }

private:
    std::size_t* of_ = nullptr;
    std::size_t amount_ = 0;
};

// Of answers: what their client has not taken at once. Its memory counts until it is over.
struct Rest {
    std::string bytes;
    std::size_t sent = 0; // of them
    Share share;

    // Takes the bytes over, with the memory that they have.
    void begin(std::string& from, std::size_t written, std::size_t& unsent);
    // More of them; false: all have gone.
    bool went(std::size_t count) { return (sent += count) < bytes.size(); }
    void end();
};

// The answer to a request that may not send its body, whose length is beyond the ordinary limit;
// nothing: it may. Its path is decoded into `path`, and stands in it then. `in_hand`: how many such
// bodies there are.
std::optional<Response> refuse_large(HttpHandler& handler, const ServerLimits& limits,
                                     std::size_t in_hand, Request& request, std::uint64_t length,
                                     std::string& path, Random& random);

// An answer that would go beyond the bounds becomes a problem. `unsent`: bytes that wait already.
void keep_bounds(Response& response, const ServerLimits& limits, const ServerFigures& figures,
                 std::size_t unsent);

} // namespace urr
