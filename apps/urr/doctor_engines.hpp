// What `urr doctor` asks of the engines that are configured: PostgreSQL, Redis, Kafka, DynamoDB,
// SQS and S3, of each what the roles need. Each is asked by the program's own client, three seconds
// for an answer, and all at once; nothing is changed there. A line tells the address, what was
// accepted (TLS, the password) and how it stands, or what is wrong and what to do.
#pragma once
#include "apps/urr/doctor.hpp"

namespace urr::app {

std::vector<Finding> examine_engines(const Settings& settings, const Roles& roles,
                                     const Clock& clock);

} // namespace urr::app
