// Several copies of one service as one Transport. They are asked in turn; a copy that fails several
// times in a row is left out and probed (Breaker), so that a dead one costs nobody anything.
//
//     std::vector<std::unique_ptr<Transport>> copies;   // connect_http(…) each
//     std::unique_ptr<Transport> service = balance(std::move(copies));
// One that ends its connections (it is about to go) is asked only where nobody else is there.
//
// A request goes on to the next copy only where it was not done (no connection, nothing went out, a
// read) or may be done twice (PUT, DELETE, with an Idempotency-Key). Copies that are left out are
// asked when all others have failed. One loop.
#pragma once
#include <memory>
#include <vector>

#include "libs/http/message.hpp"
#include "libs/http/server.hpp"

namespace urr {

std::unique_ptr<Transport> balance(std::vector<std::unique_ptr<Transport>> copies);

} // namespace urr
