// ticket over a transport: the calls that payment makes (NP-4, NP-13).
#pragma once
#include <memory>

#include "libs/contract/caller.hpp"
#include "services/payment/service.hpp"

namespace urr::payment {

std::unique_ptr<Tickets> make_tickets_client(Transport& transport, CallerKey key,
                                             const Clock& clock);

} // namespace urr::payment
