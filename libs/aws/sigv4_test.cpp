// The signature against AWS's published "Signature Version 4 Test Suite" (Copyright 2019
// Amazon.com, Inc. or its affiliates; Apache-2.0), against the examples in the documentation of S3,
// and against addresses that AWS's own signer for Python made.
#include "libs/aws/sigv4.hpp"

#include <gtest/gtest.h>

namespace urr::aws {
namespace {

constexpr Instant suite_time{1'440'938'160'000'000}; // 2015-08-30T12:36:00Z
const Credentials suite_credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "",
                                    never};

struct Vector {
    const char* name;
    const char* method;
    const char* path;
    std::vector<Pair> query;
    std::vector<Pair> headers; // beside Host and X-Amz-Date
    const char* body;
    const char* signature;
};

const Vector vectors[] = {
    {"get-header-key-duplicate",
     "GET",
     "/",
     {},
     {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-multiline",
     "GET",
     "/",
     {},
     {{"My-Header1", "value1\n  value2\n     value3"}},
     "",
     "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
    {"get-header-value-order",
     "GET",
     "/",
     {},
     {{"My-Header1", "value4"},
      {"My-Header1", "value1"},
      {"My-Header1", "value3"},
      {"My-Header1", "value2"}},
     "",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim",
     "GET",
     "/",
     {},
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-unreserved",
     "GET",
     "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     {},
     {},
     "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",
     "/\341\210\264",
     {},
     {},
     "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     {{"Param1", "value1"}},
     {},
     "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-encoded",
     "GET",
     "/",
     {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\341\210\264", "Value1"}},
     {},
     "",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     {{"Param2", "value2"}, {"Param1", "value1"}},
     {},
     "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-key",
     "GET",
     "/",
     {{"Param1", "value2"}, {"Param1", "Value1"}},
     {},
     "",
     "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {"get-vanilla-query-order-value",
     "GET",
     "/",
     {{"Param1", "value2"}, {"Param1", "value1"}},
     {},
     "",
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     {{"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}},
     {},
     "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-query",
     "GET",
     "/",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     {{"\341\210\264", "bar"}},
     {},
     "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla",
     "GET",
     "/",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative",
     "GET",
     "/example1/example2/../..",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative",
     "GET",
     "/example/..",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash",
     "GET",
     "/./",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot",
     "GET",
     "/./example",
     {},
     {},
     "",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slash",
     "GET",
     "//",
     {},
     {},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slashes",
     "GET",
     "//example//",
     {},
     {},
     "",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-space",
     "GET",
     "/example space/",
     {},
     {},
     "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-special-character",
     "GET",
     "/example/$delete",
     {},
     {},
     "",
     "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27"},
    {"post-header-key-case",
     "POST",
     "/",
     {},
     {},
     "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort",
     "POST",
     "/",
     {},
     {{"My-Header1", "value1"}},
     "",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST",
     "/",
     {},
     {{"My-Header1", "VALUE1"}},
     "",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-after",
     "POST",
     "/",
     {},
     {},
     "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-vanilla-empty-query-value",
     "POST",
     "/",
     {{"Param1", "value1"}},
     {},
     "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla-query",
     "POST",
     "/",
     {{"Param1", "value1"}},
     {},
     "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla",
     "POST",
     "/",
     {},
     {},
     "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     "/",
     {},
     {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
     "Param1=value1",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     {},
     {{"Content-Type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

std::string signature_of(const SignedRequest& request) {
    const std::string& value = request.headers.back().value;
    return value.substr(value.rfind('=') + 1);
}

SignedRequest suite_request(const Vector& vector) {
    SignedRequest request{.method = vector.method, .path = vector.path, .query = vector.query};
    request.headers = vector.headers;
    request.headers.push_back({"Host", "example.amazonaws.com"});
    request.payload_digest = payload_digest(vector.body);
    return request;
}

TEST(SigV4, agrees_with_the_published_test_suite) {
    for (const Vector& vector : vectors) {
        SignedRequest request = suite_request(vector);
        sign(request, suite_credentials, {"us-east-1", "service"}, suite_time);
        EXPECT_EQ(signature_of(request), vector.signature) << vector.name << "\n"
                                                           << canonical_request(request);
    }
}

TEST(SigV4, signs_the_session_token_with_the_rest) {
    Credentials credentials = suite_credentials;
    credentials.session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    SignedRequest request =
        suite_request({"get-vanilla-with-session-token", "GET", "/", {}, {}, "", nullptr});
    sign(request, credentials, {"us-east-1", "service"}, suite_time);
    EXPECT_EQ(request.headers.back().value,
              "AWS4-HMAC-SHA256 "
              "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=host;x-amz-date;x-amz-security-token, "
              "Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
}

TEST(SigV4, a_date_that_is_there_already_is_replaced) {
    SignedRequest request = suite_request(vectors[0]);
    SignedRequest again = request;
    again.headers.push_back({"x-amz-date", "20010101T000000Z"});
    sign(request, suite_credentials, {"us-east-1", "service"}, suite_time);
    sign(again, suite_credentials, {"us-east-1", "service"}, suite_time);
    EXPECT_EQ(signature_of(request), signature_of(again));
}

// The examples of "Authenticating Requests: Using the Authorization Header" and "Using Query
// Parameters" in the documentation of S3.
constexpr Instant s3_time{1'369'353'600'000'000}; // 2013-05-24T00:00:00Z
const Credentials s3_credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                 "", never};
const Pair s3_host{"Host", "examplebucket.s3.amazonaws.com"};

TEST(SigV4, agrees_with_the_documentation_of_s3) {
    SignedRequest get{.path = "/test.txt", .headers = {s3_host, {"Range", "bytes=0-9"}}};
    get.path_rule = PathRule::verbatim;
    get.payload_digest = payload_digest("");
    get.headers.push_back({"x-amz-content-sha256", get.payload_digest});
    sign(get, s3_credentials, {"us-east-1", "s3"}, s3_time);
    EXPECT_EQ(signature_of(get),
              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    SignedRequest put{.method = "PUT", .path = "/test%24file.text", .headers = {s3_host}};
    put.path_rule = PathRule::verbatim;
    put.payload_digest = payload_digest("Welcome to Amazon S3.");
    put.headers.push_back({"Date", "Fri, 24 May 2013 00:00:00 GMT"});
    put.headers.push_back({"x-amz-content-sha256", put.payload_digest});
    put.headers.push_back({"x-amz-storage-class", "REDUCED_REDUNDANCY"});
    sign(put, s3_credentials, {"us-east-1", "s3"}, s3_time);
    EXPECT_EQ(signature_of(put),
              "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, presigns_an_object_as_the_documentation_of_s3_does) {
    SignedRequest get{.path = "/test.txt", .headers = {s3_host}};
    get.path_rule = PathRule::verbatim;
    get.payload_digest = unsigned_payload;
    presign(get, s3_credentials, {"us-east-1", "s3"}, s3_time, hours(24));
    EXPECT_EQ(query_text(get.query),
              "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524"
              "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
              "&X-Amz-SignedHeaders=host&X-Amz-Signature="
              "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// Made by botocore's SigV4QueryAuth, as the signer for Kafka's IAM uses it.
TEST(SigV4, presigns_byte_for_byte_as_the_signer_of_aws) {
    const Instant now{1'795'568'523'000'000}; // 2026-11-25T01:02:03Z
    const auto address = [&](std::string_view token) {
        Credentials credentials = suite_credentials;
        credentials.session_token = token;
        SignedRequest request{.query = {{"Action", "kafka-cluster:Connect"}},
                              .headers = {{"Host", "kafka.ap-northeast-2.amazonaws.com"}}};
        request.payload_digest = payload_digest("");
        presign(request, credentials, {"ap-northeast-2", "kafka-cluster"}, now, seconds(900));
        return "https://kafka.ap-northeast-2.amazonaws.com/?" + query_text(request.query);
    };
    EXPECT_EQ(address(""),
              "https://kafka.ap-northeast-2.amazonaws.com/?Action=kafka-cluster%3AConnect&X-A"
              "mz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261125%2Fap-nor"
              "theast-2%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261125T010203Z&X-Amz-Expi"
              "res=900&X-Amz-SignedHeaders=host&X-Amz-Signature=c96e47c82ef5f34de1842ff79dece"
              "eebbc6d31c692f2b6fb40885263ce594ec5");
    EXPECT_EQ(address("FQoGZXIvYXdzEXAMPLE//token+=="),
              "https://kafka.ap-northeast-2.amazonaws.com/?Action=kafka-cluster%3AConnect&X-A"
              "mz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261125%2Fap-nor"
              "theast-2%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261125T010203Z&X-Amz-Expi"
              "res=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=FQoGZXIvYXdzEXAMPLE%2F%2"
              "Ftoken%2B%3D%3D&X-Amz-Signature=74fead64ebdf593fec1d13d427187eca5beb8324834e31"
              "064261f24d723034d1");
}

} // namespace
} // namespace urr::aws
