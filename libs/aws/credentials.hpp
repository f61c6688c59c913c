// Where the right to call AWS comes from, in the order in which AWS's own libraries look:
//   environment     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   web identity    AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: what EKS gives a pod with an IAM
//   role
//                   for its service account; exchanged with STS (AssumeRoleWithWebIdentity)
//   shared file     ~/.aws/credentials, or AWS_SHARED_CREDENTIALS_FILE, section AWS_PROFILE
//   container       AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS, EKS pod identity
// A source that is set and does not work is an error, never a reason to try the next.
//
//     auto source = TRY_PLAIN(find_source(read_environment(getenv), loop));
//     CredentialCache cache(*source, clock);
//     const Credentials now = TRY(co_await cache.get(context));
//
// Token files are read anew at each exchange: their owner replaces them. Secrets never stand in an
// error's text. One loop.
#pragma once
#include <memory>

#include "libs/async/nursery.hpp"
#include "libs/aws/sigv4.hpp"
#include "libs/core/clock.hpp"
#include "libs/http/client.hpp"

namespace urr::aws {

class CredentialSource {
public:
    virtual ~CredentialSource() = default;
    // UNAVAILABLE with a text for the operator.
    virtual Task<Result<Credentials>> fetch(Context context) = 0;
};

// What the variables above say; empty where one is not set.
struct Environment {
    std::string region;
    Credentials fixed;
    std::string role, role_session, web_identity_file, sts_endpoint;
    std::string shared_file, profile;
    std::string container_uri, container_token, container_token_file;
};
Environment read_environment(const char* (*variable)(const char* name));

// UNAVAILABLE when none is set, or one only by half.
Result<std::unique_ptr<CredentialSource>> find_source(const Environment& environment,
                                                      RunLoop& loop);

std::unique_ptr<CredentialSource> fixed_source(Credentials credentials);
std::unique_ptr<CredentialSource> shared_file_source(std::string path, std::string profile);
std::unique_ptr<CredentialSource> web_identity_source(std::unique_ptr<Transport> sts,
                                                      std::string role, std::string session,
                                                      std::string token_file);
std::unique_ptr<CredentialSource> container_source(std::unique_ptr<Transport> agent,
                                                   std::string target, std::string token,
                                                   std::string token_file);

// Keeps what the source gave and fetches again five minutes before it ends. While that fails, what
// is there is used to its end; all who ask meanwhile wait for one fetch.
class CredentialCache {
public:
    CredentialCache(CredentialSource& source, const Clock& clock)
        : source_(source), clock_(clock) {}

    // `ahead`: how far the server's clock is before ours.
    Task<Result<Credentials>> get(Context context, Duration ahead = {});
    // The server refused them: the next `get` fetches.
    void forget() { held_ = {}; }

private:
    static constexpr Duration renew_before = minutes(5), try_again = seconds(10);

    CredentialSource& source_;
    const Clock& clock_;
    Credentials held_;
    Instant next_try_{0};
    bool fetching_ = false;
    Gate fetched_;
};

} // namespace urr::aws
