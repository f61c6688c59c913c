// The sandbox acquirer: imaginary money, kept durably in a store of its own, so that what it took
// can be compared with what payment's ledger says.
#pragma once
#include <memory>

#include "libs/sql/migrations.hpp"
#include "services/payment/domain/acquirer.hpp"

namespace urr::payment {

extern const Migration acquirer_migrations[1];

std::unique_ptr<Acquirer> make_sandbox_acquirer(Database& database);

} // namespace urr::payment
