// One AWS service as a process reaches it: its address, the right to call it, and a client.
//
//     auto dynamodb = TRY_PLAIN(Service::open(loop, {"dynamodb", endpoint, region, ca_file},
//                                             read_environment(getenv), clock, random));
//     dynamodb->client().json(...)
//
// One loop, on which it lives and ends.
#pragma once
#include <memory>

#include "libs/aws/client.hpp"
#include "libs/aws/endpoint.hpp"
#include "libs/core/settings.hpp"

namespace urr::aws {

inline constexpr SettingRow settings[] = {
    {"URR_AWS_REGION", Kind::text, "", "region of every AWS service; empty: AWS_REGION"},
    {"URR_AWS_CA_FILE", Kind::text, "",
     "PEM file of the authorities that AWS endpoints are checked by; empty: the system's"},
};

struct ServiceOptions {
    std::string service;  // "dynamodb"
    std::string endpoint; // empty: the service's public address
    std::string region;   // empty: as the environment says
    std::string ca_file;  // empty: the system's
    RetryRule retries = {};
};

class Service {
public:
    // UNAVAILABLE or VALIDATION_FAILED with a text for the operator.
    static Result<std::unique_ptr<Service>> open(RunLoop& loop, const ServiceOptions& options,
                                                 Environment environment, const Clock& clock,
                                                 Random& random);
    Client& client() { return *client_; }
    const Endpoint& endpoint() const { return endpoint_; }

    // ", TLS verified", where the service has answered: for operators.
    std::string_view accepted() const {
        return endpoint_.tls ? ", TLS verified, credentials accepted" : ", without TLS";
    }

private:
    Endpoint endpoint_;
    std::unique_ptr<Transport> transport_;
    std::unique_ptr<CredentialSource> source_;
    std::unique_ptr<CredentialCache> cache_;
    std::unique_ptr<Client> client_;
};

} // namespace urr::aws
