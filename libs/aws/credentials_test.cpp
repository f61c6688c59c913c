// Credentials of a pod against a server over real sockets that speaks as STS and the agents of ECS
// and EKS do: what it is asked, what it gives, that it is asked again before that ends.
#include "libs/aws/credentials.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "libs/http/router.hpp"
#include "libs/http/server.hpp"

namespace urr::aws {
namespace {

constexpr Instant noon{1'795'608'000'000'000}; // 2026-11-25T12:00:00Z

// Gives a new key at each answer; they end 15 minutes after `now`.
struct Giver final : HttpHandler {
    Router router;
    const Clock& clock;
    int answers = 0;
    bool refuses = false;
    std::string form, authorization, query;

    explicit Giver(const Clock& c) : clock(c) {
        router.add<&Giver::sts>(Method::post, "/", *this);
        router.add<&Giver::agent>(Method::get, "/v2/credentials", *this);
    }
    Task<Response> handle(Context context, Request request) override {
        return router.handle(context, request);
    }
    std::string ends() const { return to_rfc3339(clock.now() + minutes(15)); }
    std::string key() { return "KEY" + std::to_string(++answers); }

    Task<Result<Response>> sts(Context, Request request) {
        form = request.body;
        Response response;
        response.content_type = "text/xml";
        response.status = refuses ? 403 : 200;
        const std::string key = this->key();
        response.body =
            refuses ? "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code>"
                      "<Message>Token expired</Message></Error></ErrorResponse>"
                    : "<AssumeRoleWithWebIdentityResponse "
                      "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
                      "  <AssumeRoleWithWebIdentityResult>\n    <Credentials>\n"
                      "      <SessionToken>session/" +
                          key +
                          "==</SessionToken>\n"
                          "      <SecretAccessKey>secret</SecretAccessKey>\n      <Expiration>" +
                          ends() + "</Expiration>\n      <AccessKeyId>" + key +
                          "</AccessKeyId>\n"
                          "    </Credentials>\n  </AssumeRoleWithWebIdentityResult>\n"
                          "</AssumeRoleWithWebIdentityResponse>";
        co_return response;
    }
    Task<Result<Response>> agent(Context, Request request) {
        authorization = request.header("Authorization");
        query = request.query;
        if (refuses) co_return json_response(401, "{}");
        const std::string key = this->key();
        co_return json_response(200, R"({"RoleArn":"arn:aws:iam::1:role/urr","AccessKeyId":")" +
                                         key + R"(","SecretAccessKey":"secret","Token":"session/)" +
                                         key + R"(","Expiration":")" + ends() + R"("})");
    }
};

struct PodCredentials : testing::Test {
    std::string file =
        std::filesystem::temp_directory_path() / ("urr_token_" + std::to_string(::getpid()));
    ManualClock clock{noon};
    std::unique_ptr<RunLoop> loop = make_asio_loop(hours(1));
    Giver giver{clock};
    std::unique_ptr<HttpServer> server = start();
    Environment environment;

    ~PodCredentials() override { std::filesystem::remove(file); }
    std::unique_ptr<HttpServer> start(std::uint16_t port = 0) {
        Loop::Enter in(loop.get());
        return must(listen_http(*loop, "127.0.0.1", port, giver, {}));
    }
    std::string address() const { return "http://127.0.0.1:" + std::to_string(server->port()); }
    void write_token(const std::string& token) const { std::ofstream(file) << token << "\n"; }
    void run(Task<> task) { run_to_end(*loop, std::move(task)); }
};

Task<std::string> key_of(CredentialCache& cache) {
    const auto got = co_await cache.get(Context{});
    co_return got ? got->access_key + " " + got->session_token : std::string(got.error().text());
}

Task<> web_identity(PodCredentials& t) {
    t.write_token("token-1");
    t.environment.role = "arn:aws:iam::1:role/urr";
    t.environment.role_session = "urr";
    t.environment.web_identity_file = t.file;
    t.environment.sts_endpoint = t.address();
    const auto source = must(find_source(t.environment, *t.loop));
    CredentialCache cache(*source, t.clock);
    EXPECT_EQ(co_await key_of(cache), "KEY1 session/KEY1==");
    EXPECT_EQ(t.giver.form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
                            "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Furr&RoleSessionName=urr&"
                            "WebIdentityToken=token-1");
    // Renewed five minutes before they end, with the token that stands in the file then.
    t.write_token("token-2");
    t.clock.advance(minutes(9));
    EXPECT_EQ(co_await key_of(cache), "KEY1 session/KEY1==");
    t.clock.advance(minutes(2));
    EXPECT_EQ(co_await key_of(cache), "KEY2 session/KEY2==");
    EXPECT_NE(t.giver.form.find("WebIdentityToken=token-2"), std::string::npos);
    // STS refuses: what there is is used to its end, then the refusal is told, without the token.
    t.giver.refuses = true;
    t.clock.advance(minutes(11));
    EXPECT_EQ(co_await key_of(cache), "KEY2 session/KEY2==");
    t.clock.advance(minutes(5));
    EXPECT_EQ(co_await key_of(cache), "STS refused the web identity: 403 ExpiredTokenException");
    t.giver.refuses = false;
    EXPECT_EQ(co_await key_of(cache), "KEY5 session/KEY5==");
}
TEST_F(PodCredentials, of_a_web_identity_are_exchanged_and_renewed) { run(web_identity(*this)); }

Task<> container(PodCredentials& t) {
    t.write_token("bearer-1");
    t.environment.container_uri = t.address() + "/v2/credentials?id=7";
    t.environment.container_token_file = t.file;
    const auto source = must(find_source(t.environment, *t.loop));
    CredentialCache cache(*source, t.clock);
    EXPECT_EQ(co_await key_of(cache), "KEY1 session/KEY1");
    EXPECT_EQ(t.giver.authorization, "bearer-1");
    EXPECT_EQ(t.giver.query, "id=7");
    t.write_token("bearer-2");
    t.clock.advance(minutes(11));
    EXPECT_EQ(co_await key_of(cache), "KEY2 session/KEY2");
    EXPECT_EQ(t.giver.authorization, "bearer-2");
    // The agent is away for a while: the same; then it is there again.
    const std::uint16_t port = t.server->port();
    t.server.reset();
    t.clock.advance(minutes(11));
    EXPECT_EQ(co_await key_of(cache), "KEY2 session/KEY2");
    t.clock.advance(minutes(5));
    EXPECT_NE((co_await key_of(cache)).find("cannot reach"), std::string::npos);
    t.server = must(listen_http(*t.loop, "127.0.0.1", port, t.giver, {}));
    EXPECT_EQ(co_await key_of(cache), "KEY3 session/KEY3");
    t.giver.refuses = true;
    t.clock.advance(minutes(20));
    EXPECT_EQ(co_await key_of(cache), "the container's agent refused credentials: 401");
}
TEST_F(PodCredentials, of_a_container_come_from_its_agent_and_are_renewed) {
    run(container(*this));
}

} // namespace
} // namespace urr::aws
