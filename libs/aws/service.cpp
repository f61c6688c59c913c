#include "libs/aws/service.hpp"

namespace urr::aws {

Result<std::unique_ptr<Service>> Service::open(RunLoop& loop, const ServiceOptions& options,
                                               Environment environment, const Clock& clock,
                                               Random& random) {
    if (!options.region.empty()) environment.region = options.region;
    if (environment.region.empty())
        return fail(Code::UNAVAILABLE, "no region for AWS: set URR_AWS_REGION or AWS_REGION");
    auto out = std::make_unique<Service>();
    out->endpoint_ = TRY_PLAIN(
        service_endpoint(options.endpoint, options.service, environment.region, options.ca_file));
    out->source_ = TRY_PLAIN(find_source(environment, loop));
    out->transport_ = connect(loop, out->endpoint_, options.retries.attempt_timeout);
    out->cache_ = std::make_unique<CredentialCache>(*out->source_, clock);
    out->client_ = std::make_unique<Client>(
        *out->transport_, *out->cache_, Scope{environment.region, options.service},
        out->endpoint_.host_text(), clock, random, options.retries);
    return out;
}

} // namespace urr::aws
