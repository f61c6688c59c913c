#include "libs/aws/msk_token.hpp"

#include "libs/security/base64url.hpp"

namespace urr::aws {

namespace {

constexpr Duration lifetime = minutes(15); // the most that MSK takes

} // namespace

MskToken make_msk_token(const Credentials& credentials, const std::string& region, Instant now,
                        const std::string& agent) {
    const std::string host = "kafka." + region + ".amazonaws.com";
    SignedRequest request{.query = {{"Action", "kafka-cluster:Connect"}},
                          .headers = {{"Host", host}},
                          .payload_digest = payload_digest("")};
    presign(request, credentials, {region, "kafka-cluster"}, now, lifetime);
    request.query.push_back({"User-Agent", agent});
    const std::string address = "https://" + host + "/?" + query_text(request.query);
    const Instant second{now.us - now.us % 1'000'000};
    return {base64url(address), second + lifetime};
}

} // namespace urr::aws
