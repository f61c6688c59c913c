// How calls are repeated, whose clock counts, and where the right to call comes from; the other
// side is a script, time is simulated.
#include "libs/aws/client.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "libs/async/sim_loop.hpp"
#include "libs/aws/endpoint.hpp"
#include "libs/core/must.hpp"

namespace urr::aws {
namespace {

constexpr Instant noon{1'795'608'000'000'000}; // 2026-11-25T12:00:00Z

// Answers what stands next in the script, and remembers what it was asked.
struct Scripted final : Transport {
    struct Reply {
        int status = 200;
        std::string body = {};
        std::string headers = {};
        std::optional<Code> fault = {};
    };
    struct Asked {
        std::string target, body, authorization, date, token;
        Instant at;
    };
    std::deque<Reply> script;
    std::vector<Asked> asked;

    Task<Result<Response>> send(Context, Request request) override {
        asked.push_back({std::string(request.target), std::string(request.body),
                         std::string(request.header("Authorization")),
                         std::string(request.header("X-Amz-Date")),
                         std::string(request.header("X-Amz-Security-Token")), Loop::here().now()});
        co_await yield();
        if (script.empty()) co_return Response{};
        const Reply reply = script.front();
        script.pop_front();
        if (reply.fault) co_return fail(*reply.fault);
        Response response;
        response.status = reply.status;
        response.body = reply.body;
        response.headers = reply.headers;
        co_return response;
    }
};

struct Counting final : CredentialSource {
    std::deque<Result<Credentials>> script;
    int fetches = 0;
    Task<Result<Credentials>> fetch(Context context) override {
        ++fetches;
        TRY(co_await sleep(context, milliseconds(10)));
        if (script.empty()) co_return fail(Code::UNAVAILABLE, "no more");
        Result<Credentials> next = std::move(script.front());
        script.pop_front();
        co_return next;
    }
};

struct AwsClient : testing::Test {
    SimWorld world{3};
    SimLoop loop{world};
    ManualClock clock{noon};
    SeededRandom random{3};
    Scripted wire;
    Counting source;
    CredentialCache cache{source, clock};
    Client client{wire, cache, {"ap-northeast-2", "dynamodb"}, "ddb.example", clock, random};
    Nursery nursery;

    AwsClient() { source.script.push_back(Credentials{"KEY", "secret", "", never}); }

    template <class T>
    static Task<> keep(Task<Result<T>> task, std::optional<Result<T>>& out) {
        out.emplace(co_await std::move(task));
    }
    template <class T>
    Result<T> run(Task<Result<T>> task) {
        std::optional<Result<T>> out;
        {
            Loop::Enter in(&loop);
            nursery.spawn(keep(std::move(task), out));
        }
        while (!out) EXPECT_TRUE(world.step());
        return std::move(*out);
    }
    Context until(Duration span) {
        Context context;
        context.deadline = loop.now() + span;
        return context;
    }
    Result<Answer> call(Duration span = seconds(60)) {
        return run(client.json(until(span), "DynamoDB_20120810.GetItem", "{}"));
    }
};

const std::string throttled =
    R"({"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"})";

TEST_F(AwsClient, repeats_what_was_throttled_broke_or_did_not_get_there) {
    wire.script = {{.status = 400, .body = throttled},
                   {.status = 503, .body = "busy"},
                   {.fault = Code::UNAVAILABLE},
                   {.status = 200, .body = R"({"a":1})"}};
    const Answer answer = must(call());
    EXPECT_EQ(answer.json.integer_of("a"), 1);
    EXPECT_EQ(wire.asked.size(), 4u);
    EXPECT_EQ(client.counters().throttled, 1u);
}

TEST_F(AwsClient, gives_up_after_four_times_and_says_why) {
    for (int i = 0; i < 4; ++i) wire.script.push_back({.status = 400, .body = throttled});
    EXPECT_EQ(call().error().code(), Code::OVERLOADED);
    for (int i = 0; i < 4; ++i) wire.script.push_back({.status = 500});
    EXPECT_EQ(call().error().code(), Code::OUTCOME_UNKNOWN);
    for (int i = 0; i < 4; ++i) wire.script.push_back({.fault = Code::UNAVAILABLE});
    EXPECT_EQ(call().error().code(), Code::UNAVAILABLE);
    EXPECT_EQ(wire.asked.size(), 12u);
}

TEST_F(AwsClient, pauses_differ_and_grow_within_bounds) {
    std::vector<std::int64_t> first, last;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 3; ++i) wire.script.push_back({.status = 500});
        wire.asked.clear();
        for (int i = 0; i < 16; ++i) (void)call(); // those that work pay for the retries
        first.push_back((wire.asked[1].at - wire.asked[0].at).us);
        last.push_back((wire.asked[3].at - wire.asked[2].at).us);
    }
    EXPECT_LE(*std::ranges::max_element(first), 50'000 + 100);
    EXPECT_LE(*std::ranges::max_element(last), 200'000 + 100);
    EXPECT_GT(*std::ranges::max_element(last), 50'000);
    EXPECT_LT(*std::ranges::min_element(last), 100'000); // full jitter: from nothing upwards
}

TEST_F(AwsClient, retries_end_when_everything_fails) {
    for (int i = 0; i < 400; ++i) wire.script.push_back({.status = 500});
    for (int i = 0; i < 60; ++i) (void)call();
    EXPECT_EQ(wire.asked.size(), 60u + 40u); // 200 / 5
}

TEST_F(AwsClient, a_deadline_ends_the_pauses) {
    for (int i = 0; i < 4; ++i) wire.script.push_back({.status = 500});
    EXPECT_FALSE(call(milliseconds(1)));
    EXPECT_LT(wire.asked.size(), 4u);
}

TEST_F(AwsClient, a_refusal_is_an_answer_and_not_repeated) {
    wire.script = {{.status = 400,
                    .body = R"({"__type":"x#ConditionalCheckFailedException","message":"no"})"}};
    const Answer answer = must(call());
    EXPECT_TRUE(answer.refused("ConditionalCheckFailedException"));
    EXPECT_EQ(answer.text, "no");
    EXPECT_EQ(wire.asked.size(), 1u);
}

TEST_F(AwsClient, takes_the_servers_clock_where_ours_is_wrong) {
    wire.script = {{.status = 403,
                    .body = R"({"__type":"x#InvalidSignatureException","message":"expired"})",
                    .headers = "Date: Wed, 25 Nov 2026 14:30:00 GMT\r\n"},
                   {.status = 200, .body = "{}"}};
    EXPECT_TRUE(must(call()).ok());
    EXPECT_EQ(wire.asked[0].date, "20261125T120000Z");
    EXPECT_EQ(wire.asked[1].date, "20261125T143000Z");
    must(call()); // and keeps to it
    EXPECT_EQ(wire.asked[2].date, "20261125T143000Z");
    clock.advance(seconds(-9'000)); // ours jumps: corrected again
    wire.script = {{.status = 400,
                    .body = R"({"__type":"x#RequestExpired"})",
                    .headers = "Date: Wed, 25 Nov 2026 14:30:01 GMT\r\n"},
                   {.status = 200, .body = "{}"}};
    EXPECT_TRUE(must(call()).ok());
    EXPECT_EQ(wire.asked.back().date, "20261125T143001Z");
}

TEST_F(AwsClient, a_wrong_signature_at_the_right_time_is_refused_at_once) {
    wire.script = {{.status = 403,
                    .body = R"({"__type":"x#InvalidSignatureException"})",
                    .headers = "Date: Wed, 25 Nov 2026 12:00:01 GMT\r\n"}};
    EXPECT_EQ(must(call()).as_error().code(), Code::BAD_GATEWAY);
    EXPECT_EQ(wire.asked.size(), 1u);
}

TEST_F(AwsClient, fetches_new_credentials_when_the_server_refuses_the_old) {
    source.script.clear();
    source.script.push_back(Credentials{"OLD", "secret", "t1", never});
    source.script.push_back(Credentials{"NEW", "secret", "t2", never});
    wire.script = {{.status = 400, .body = R"({"__type":"x#ExpiredTokenException"})"}};
    EXPECT_TRUE(must(call()).ok());
    EXPECT_EQ(wire.asked[0].token, "t1");
    EXPECT_EQ(wire.asked[1].token, "t2");
}

TEST_F(AwsClient, reads_what_s3_refuses) {
    wire.script = {{.status = 404,
                    .body = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code>"
                            "<Message>gone</Message></Error>"}};
    const Answer answer = must(run(client.rest(until(seconds(5)), {.path = "/bucket/a"}, "")));
    EXPECT_TRUE(answer.refused("NoSuchKey"));
    EXPECT_EQ(answer.text, "gone");
}

// --- credentials

// Of this process alone: others may run the same test.
std::filesystem::path temporary(const char* name) {
    return std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()));
}

TEST_F(AwsClient, renews_credentials_five_minutes_before_they_end_and_keeps_the_old_till_then) {
    source.script.clear();
    source.script.push_back(Credentials{"A", "s", "", noon + minutes(15)});
    source.script.push_back(fail(Code::UNAVAILABLE, "down"));
    source.script.push_back(Credentials{"B", "s", "", noon + minutes(60)});
    const auto key = [&] { return must(run(cache.get(until(seconds(5))))).access_key; };
    EXPECT_EQ(key(), "A");
    clock.advance(minutes(9));
    EXPECT_EQ(key(), "A");
    EXPECT_EQ(source.fetches, 1);
    clock.advance(minutes(2));
    EXPECT_EQ(key(), "A"); // the source is down; A still holds
    EXPECT_EQ(key(), "A"); // and it is not asked again at once
    EXPECT_EQ(source.fetches, 2);
    clock.advance(seconds(11));
    EXPECT_EQ(key(), "B");
    EXPECT_EQ(source.fetches, 3);
}

TEST_F(AwsClient, says_so_when_credentials_have_ended_and_none_can_be_had) {
    source.script.clear();
    source.script.push_back(Credentials{"A", "s", "", noon + minutes(1)});
    must(run(cache.get(until(seconds(5)))));
    clock.advance(minutes(2));
    const auto none = run(cache.get(until(seconds(5))));
    EXPECT_EQ(none.error().text(), "no more");
}

TEST_F(AwsClient, exchanges_a_web_identity_and_reads_its_token_anew) {
    const auto file = temporary("urr-web-identity-token-");
    auto owned = std::make_unique<Scripted>();
    Scripted& sts = *owned;
    const std::string answer =
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
        "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>abc</SecretAccessKey>"
        "<SessionToken>tok</SessionToken><Expiration>2026-11-25T13:00:00Z</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    sts.script = {{.body = answer}, {.body = answer}, {.status = 403, .body = "<Code>Nope</Code>"}};
    const auto web = web_identity_source(std::move(owned), "arn:aws:iam::1:role/vwr", "urr", file);
    std::ofstream(file) << "first.token\n";
    const Credentials got = must(run(web->fetch(until(seconds(5)))));
    EXPECT_EQ(got.access_key, "ASIA1");
    EXPECT_EQ(got.session_token, "tok");
    EXPECT_EQ(got.expires, noon + minutes(60));
    EXPECT_EQ(sts.asked[0].body,
              "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1"
              "%3Arole%2Fvwr&RoleSessionName=urr&WebIdentityToken=first.token");
    EXPECT_TRUE(sts.asked[0].authorization.empty());
    std::ofstream(file) << "second.token";
    must(run(web->fetch(until(seconds(5)))));
    EXPECT_NE(sts.asked[1].body.find("second.token"), std::string::npos);
    const auto refused = run(web->fetch(until(seconds(5))));
    EXPECT_EQ(refused.error().text(), "STS refused the web identity: 403 Nope");
    std::filesystem::remove(file);
    EXPECT_FALSE(run(web->fetch(until(seconds(5)))));
}

TEST_F(AwsClient, asks_the_containers_agent_with_its_token) {
    auto owned = std::make_unique<Scripted>();
    Scripted& agent = *owned;
    agent.script = {{.body = R"({"AccessKeyId":"K","SecretAccessKey":"S","Token":"T",)"
                             R"("Expiration":"2026-11-25T13:00:00Z"})"},
                    {.body = "{}"}};
    const auto source_of = container_source(std::move(owned), "/v2/creds?id=1", "bearer", "");
    EXPECT_EQ(must(run(source_of->fetch(until(seconds(5))))).session_token, "T");
    EXPECT_EQ(agent.asked[0].target, "/v2/creds?id=1");
    EXPECT_EQ(agent.asked[0].authorization, "bearer");
    EXPECT_EQ(run(source_of->fetch(until(seconds(5)))).error().text(),
              "the container's agent answered no credentials");
}

TEST_F(AwsClient, reads_the_section_of_the_shared_file) {
    const auto file = temporary("urr-shared-credentials-");
    std::ofstream(file) << "[default]\naws_access_key_id = D\naws_secret_access_key=x\n"
                           "[urr]\r\naws_access_key_id=U\r\naws_secret_access_key = y=z \r\n";
    EXPECT_EQ(must(run(shared_file_source(file, "default")->fetch({}))).access_key, "D");
    EXPECT_EQ(must(run(shared_file_source(file, "urr")->fetch({}))).secret_key, "y=z");
    EXPECT_FALSE(run(shared_file_source(file, "none")->fetch({})));
    std::filesystem::remove(file);
    EXPECT_FALSE(run(shared_file_source(file, "default")->fetch({})));
}

const char* role_only(const char* name) {
    return std::string_view(name) == "AWS_ROLE_ARN" ? "arn:x" : nullptr;
}
const char* open_agent(const char* name) {
    return std::string_view(name) == "AWS_CONTAINER_CREDENTIALS_FULL_URI" ? "http://8.8.8.8/c"
                                                                          : nullptr;
}
const char* key_only(const char* name) {
    return std::string_view(name) == "AWS_ACCESS_KEY_ID" ? "K" : nullptr;
}

TEST(AwsSources, what_is_set_by_half_or_unsafe_is_refused_and_not_passed_over) {
    const auto real = make_asio_loop();
    for (const auto variables : {&role_only, &open_agent, &key_only}) {
        const auto source = find_source(read_environment(*variables), *real);
        EXPECT_FALSE(source);
    }
}

TEST(AwsEndpoint, is_read_strictly) {
    const Endpoint local = must(parse_endpoint("http://127.0.0.1:31310"));
    EXPECT_FALSE(local.tls);
    EXPECT_EQ(local.host_text(), "127.0.0.1:31310");
    EXPECT_EQ(must(service_endpoint("", "sqs", "eu-west-1", "")).host_text(),
              "sqs.eu-west-1.amazonaws.com");
    EXPECT_EQ(must(parse_endpoint("http://[fd00:ec2::23]/v1/credentials")).host, "fd00:ec2::23");
    for (const char* wrong : {"sqs.example", "ftp://a", "https://", "http://a:0", "http://a:b",
                              "http://user@a", "http://a:70000"})
        EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

} // namespace
} // namespace urr::aws
