// What MSK's brokers take as an OAUTHBEARER token where they ask for IAM: base64url of an address,
// presigned, that says kafka-cluster:Connect. Byte for byte what AWS's own signers make of the same
// credentials, time and agent (tests/engines/msk_signer.py). Pure; any thread.
//
//     MskToken token = make_msk_token(credentials, "ap-northeast-2", clock.now());
#pragma once
#include "libs/aws/sigv4.hpp"

namespace urr::aws {

struct MskToken {
    std::string value;
    Instant expires;
};

// `agent` tells the brokers' logs who signed; it is not part of what is signed.
MskToken make_msk_token(const Credentials& credentials, const std::string& region, Instant now,
                        const std::string& agent = "urr");

} // namespace urr::aws
