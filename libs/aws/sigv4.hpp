// AWS Signature Version 4: proves who sends a request and that nobody changed it, by a keyed code
// over its canonical form. Two ways to carry it: in headers (`sign`), or in the query of an address
// that somebody else may use for a while (`presign`).
//
//     SignedRequest request{.method = "POST", .path = "/", .headers = {{"Host", host}}};
//     request.payload_digest = payload_digest(body);
//     sign(request, credentials, {"ap-northeast-2", "sqs"}, clock.now());
//     // request.headers now has X-Amz-Date, Authorization and perhaps X-Amz-Security-Token
//
// What goes on the wire must be `path`, `query_text(query)` and the headers exactly as they stand
// here. The time must be within minutes of the server's (client.hpp corrects it). Pure; any thread.
// Checked against AWS's published test suite.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/core/instant.hpp"

namespace urr::aws {

struct Credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token; // empty: long-lived ones
    Instant expires = never;   // of the wall clock
};

struct Scope {
    std::string region;
    std::string service; // as the signature names it: "sqs", "dynamodb", "s3", "sts"
};

struct Pair {
    std::string name;
    std::string value;
    bool operator==(const Pair&) const = default;
};

// How the path enters the signature: S3 takes it as it goes on the wire, all others take out dots
// and double slashes and encode it once more.
enum class PathRule : std::uint8_t { normalized, verbatim };

struct SignedRequest {
    std::string method = "GET";
    std::string path = "/";         // as it goes on the wire
    std::vector<Pair> query = {};   // not encoded; `query_text` is what goes on the wire
    std::vector<Pair> headers = {}; // Host among them; every one is signed
    std::string payload_digest = {};
    PathRule path_rule = PathRule::normalized;
};

// SHA-256 of a body, in hexadecimal digits.
std::string payload_digest(std::string_view body);
// Instead of a digest, where the body is not known: presigned addresses of S3.
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

// 20150830T123600Z
std::string amz_date(Instant now);
// RFC 3986: all but letters, digits and -._~ is escaped; '/' stays where `keep_slash`.
std::string percent_encoded(std::string_view text, bool keep_slash = false);
// name=value&…, encoded, in the order given.
std::string query_text(const std::vector<Pair>& query);

std::string canonical_request(const SignedRequest& request);

// Adds X-Amz-Date, X-Amz-Security-Token (where there is one) and Authorization to the headers; an
// X-Amz-Date that is there already is replaced.
void sign(SignedRequest& request, const Credentials& credentials, const Scope& scope, Instant now);

// Adds X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders, -Security-Token (where there
// is one) and -Signature to the query, in this order. S3 wants `unsigned_payload`.
void presign(SignedRequest& request, const Credentials& credentials, const Scope& scope,
             Instant now, Duration lifetime);

} // namespace urr::aws
