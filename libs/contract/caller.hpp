// Who calls whom inside. The caller states for whom it asks (X-User-*, X-Entry-*) and proves that
// it may, by an assertion: HMAC-SHA256 over those headers, the target service, method, path and
// time, under a key of that caller and that service. A service believes the headers only with it,
// so a part that was broken into cannot speak for others.
//
//     CallerHeaders headers(key, "ticket", principal, request, clock.now(), email);
//     headers.attach(request);                              // views into `headers`
//     Principal p = TRY_PLAIN(believed_caller(keys, "ticket", request, clock.now()));
#pragma once
#include <map>
#include <string>

#include "libs/async/context.hpp"
#include "libs/core/result.hpp"
#include "libs/http/message.hpp"
#include "libs/security/mac.hpp"

namespace urr {

inline constexpr Duration assertion_life = seconds(60);

// The headers that only the gateway and services may set; stripped from what comes from outside.
inline constexpr std::string_view internal_headers[] = {
    "X-User-Id",   "X-User-Email", "X-User-Role",     "X-User-Verified", "X-Entry-Event",
    "X-Entry-Jti", "X-Urr-Caller", "X-Urr-Assertion", timeout_header};

struct CallerKey {
    std::string caller; // "gateway"
    HmacKey key;
};

// A service's keys of those who may call it, by caller's name.
using CallerKeys = std::map<std::string, HmacKey, std::less<>>;

class CallerHeaders {
public:
    CallerHeaders(const CallerKey& key, std::string_view target_service, const Principal& principal,
                  const Request& request, Instant now, std::string_view email = {})
        : CallerHeaders(key.caller, key.key, target_service, principal, request, now, email) {}
    CallerHeaders(std::string_view caller, const HmacKey& key, std::string_view target_service,
                  const Principal& principal, const Request& request, Instant now,
                  std::string_view email = {});
    // Adds the headers to a request whose internal headers were removed. False: too many headers.
    bool attach(Request& request) const;

private:
    std::string caller_, user_, email_, entry_event_, entry_token_, assertion_;
    std::string_view role_, verified_; // constants
    bool signed_in_, entered_;
};

// ASSERTION_INVALID when the assertion is missing, forged, for another service or path, or old.
Result<Principal> believed_caller(const CallerKeys& keys, std::string_view service,
                                  const Request& request, Instant now);

std::string_view role_name(Role role);

} // namespace urr
