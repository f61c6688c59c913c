// The settings that say where the stores are: files of this machine, or databases of a PostgreSQL.
#pragma once
#include "libs/core/settings.hpp"

namespace urr::app {

inline constexpr SettingRow database_settings[] = {
    {"URR_DATABASE", Kind::text, "sqlite", "engine of the stores: sqlite (files) or postgres"},
    {"URR_AUTH_DATABASE_URL", Kind::secret, "",
     "auth's database: postgresql://USER:PASSWORD@HOST:PORT/NAME?sslrootcert=FILE; instead of the "
     "password, passfile=FILE"},
    {"URR_TICKET_DATABASE_URL", Kind::secret, "", "ticket's database, as above"},
    {"URR_CATALOG_DATABASE_URL", Kind::secret, "",
     "ticket's database for catalog, whose user sees its views and nothing else"},
    {"URR_CATALOG_DATABASE_REPLICA_URL", Kind::secret, "",
     "the same on a replica; empty: the primary answers"},
    {"URR_PAYMENT_DATABASE_URL", Kind::secret, "", "payment's database"},
    {"URR_ACQUIRER_DATABASE_URL", Kind::secret, "", "the sandbox acquirer's database"},
    {"URR_QUEUE_DATABASE_URL", Kind::secret, "", "queue's database"},
    {"URR_EVENTS_DATABASE_URL", Kind::secret, "", "the event log's database"},
    {"URR_VWR_DATABASE_URL", Kind::secret, "", "the waiting rooms' database"},
    {"URR_EVIDENCE_DATABASE_URL", Kind::secret, "",
     "ticket's database for the worker, whose user has the schema evidence and nothing else"},
    {"URR_AUTH_DATABASE_OWNER_URL", Kind::secret, "",
     "for urr migrate: auth's database as its owner; empty: the URL of auth"},
    {"URR_TICKET_DATABASE_OWNER_URL", Kind::secret, "", "ticket's database as its owner"},
    {"URR_PAYMENT_DATABASE_OWNER_URL", Kind::secret, "", "payment's database as its owner"},
    {"URR_ACQUIRER_DATABASE_OWNER_URL", Kind::secret, "", "the acquirer's database as its owner"},
    {"URR_QUEUE_DATABASE_OWNER_URL", Kind::secret, "", "queue's database as its owner"},
    {"URR_EVENTS_DATABASE_OWNER_URL", Kind::secret, "", "the event log's database as its owner"},
    {"URR_VWR_DATABASE_OWNER_URL", Kind::secret, "", "the waiting rooms' database as its owner"},
    {"URR_EVIDENCE_DATABASE_OWNER_URL", Kind::secret, "", "the schema evidence as its owner"},
    {"URR_DATABASE_CONNECTIONS", Kind::number, "2", "connections to each database, per process", 1,
     16},
    {"URR_DATABASE_POOLED", Kind::yes_no, "no",
     "the URLs lead to a pooler that gives each transaction another connection (PgBouncer, RDS "
     "Proxy)"},
};

} // namespace urr::app
