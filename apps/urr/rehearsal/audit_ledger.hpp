// The audit of the evidence ledger: it agrees with what was sold, whoever wrote it. Each admission,
// hold, release and payment of the event stands in its chain exactly once, nothing else does, and
// the chain is unbroken by a computation of its own. Disagreements count as unexplained.
//
// `stores` is ticket's store with `evidence`, and `queue` where there is one, attached; it gets a
// temporary table. UNAVAILABLE when something cannot be read.
#pragma once
#include "apps/urr/rehearsal/audit.hpp"

struct sqlite3;

namespace urr::app {

Result<> audit_ledger(sqlite3* stores, const EventId& event, Audit& audit);

} // namespace urr::app
