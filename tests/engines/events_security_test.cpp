// Who may talk to Kafka, and to which Kafka we talk: TLS by chain and name, SCRAM, MSK's IAM.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "libs/aws/msk_token.hpp"
#include "libs/messaging/kafka/topics.hpp"
#include "tests/engines/events_world.hpp"

namespace urr {
namespace {

using Security = KafkaOptions::Security;
constexpr int tls = 20, sasl = 30, stranger = 40; // beside the first port, see kafka.sh

class Guarded : public testing::Test {
protected:
    // Everything that a client does, by these options: topics, appending, a group.
    bool works(KafkaOptions options) {
        bool well = false;
        world.run(sends(world, options, well));
        return well;
    }
    // The operator's line where it does not.
    std::string refusal(KafkaOptions options) {
        const std::string_view topics[] = {world.topic};
        options.more = {{"socket.connection.setup.timeout.ms", "8000"}};
        const auto checked = check_kafka_topics(options, world.log, topics);
        if (checked) return "it was let in";
        EXPECT_EQ(checked.error().code(), Code::UNAVAILABLE);
        return std::string(checked.error().text());
    }
    static Task<> sends(EventsWorld& world, const KafkaOptions& options, bool& well) {
        const std::string_view topics[] = {world.topic};
        must(check_kafka_topics(options, world.log, topics));
        const auto log = world.open_log(options);
        const auto taker = world.taker();
        Nursery nursery;
        nursery.spawn(log->deliver(world.topic, world.group, *taker));
        must(co_await log->append(Context{}, world.messages(3, 2)));
        co_await world.until_effects(6);
        well = true;
    }
    KafkaOptions by(Security security, int port) {
        KafkaOptions options = world.options;
        options.security = security;
        options.brokers = world.kafka.broker(port);
        options.ca_file = world.kafka.folder + "/tls/ca.pem";
        return options;
    }
    KafkaOptions by_password() {
        KafkaOptions options = by(Security::scram, sasl);
        options.user = "urr";
        options.password = world.kafka.secret("scram.password");
        return options;
    }

    EventsWorld world{Engine::kafka};
};

TEST_F(Guarded, tls_to_the_right_name_by_the_right_chain_works) {
    EXPECT_TRUE(works(by(Security::tls, tls)));
}

TEST_F(Guarded, a_broker_with_another_name_is_refused) {
    KafkaOptions options = by(Security::tls, stranger);
    EXPECT_NE(refusal(options).find("certificate verify failed"), std::string::npos);
    // Of the right chain: it was the name.
    options.more = {{"ssl.endpoint.identification.algorithm", "none"}};
    const std::string_view topics[] = {world.topic};
    EXPECT_TRUE(check_kafka_topics(options, world.log, topics).has_value());
}

TEST_F(Guarded, a_broker_of_another_chain_is_refused) {
    KafkaOptions options = by(Security::tls, tls);
    options.ca_file = world.kafka.folder + "/tls/other-ca.pem";
    EXPECT_NE(refusal(options).find("certificate verify failed"), std::string::npos);
    options.ca_file = ""; // the system's do not know it either
    EXPECT_NE(refusal(options).find("certificate verify failed"), std::string::npos);
}

TEST_F(Guarded, a_ca_file_that_is_not_there_is_said) {
    KafkaOptions options = by(Security::tls, tls);
    options.ca_file = "/nowhere/ca.pem";
    EXPECT_NE(refusal(options).find("/nowhere/ca.pem"), std::string::npos);
}

TEST_F(Guarded, a_password_by_scram_works) { EXPECT_TRUE(works(by_password())); }

TEST_F(Guarded, a_wrong_password_is_refused_and_nowhere_told) {
    KafkaOptions options = by_password();
    options.password = "a-wrong-password";
    const std::string told = refusal(options);
    EXPECT_NE(told.find("Authentication failed"), std::string::npos) << told;
    EXPECT_EQ((told + world.log.text()).find(options.password), std::string::npos);
}

class Signed final : public KafkaTokens {
public:
    Signed(aws::Credentials credentials, Instant now)
        : credentials_(std::move(credentials)), now_(now) {}
    Result<KafkaToken> token() override {
        ++asked;
        auto token = aws::make_msk_token(credentials_, "ap-northeast-2", now_);
        return KafkaToken{token.value, credentials_.access_key, clock_.now() + minutes(15)};
    }
    std::atomic<int> asked{0};

private:
    SystemClock clock_;
    const aws::Credentials credentials_;
    const Instant now_;
};

TEST_F(Guarded, a_token_by_iam_works) {
    KafkaOptions options = by(Security::iam, sasl);
    const auto tokens = std::make_shared<Signed>(
        aws::Credentials{world.kafka.secret("iam.key"), world.kafka.secret("iam.secret"), ""},
        SystemClock().now());
    options.tokens = tokens;
    EXPECT_TRUE(works(options));
    EXPECT_GE(tokens->asked, 3); // the admin's, the producer's, the member's
}

TEST_F(Guarded, a_token_by_another_secret_or_out_of_time_is_refused) {
    KafkaOptions options = by(Security::iam, sasl);
    const std::string key = world.kafka.secret("iam.key");
    const std::string secret = world.kafka.secret("iam.secret");
    const Instant now = SystemClock().now();
    options.tokens = std::make_shared<Signed>(aws::Credentials{key, "another" + secret, ""}, now);
    EXPECT_NE(refusal(options).find("invalid_token"), std::string::npos);
    options.tokens = std::make_shared<Signed>(aws::Credentials{key, secret, ""}, now - minutes(20));
    EXPECT_NE(refusal(options).find("invalid_token"), std::string::npos);
    EXPECT_EQ(world.log.text().find(secret), std::string::npos);
}

TEST(MskTokens, are_byte_for_byte_what_the_signer_of_aws_makes) {
    const char* file = std::getenv("URR_TEST_MSK_TOKENS");
    ASSERT_TRUE(file) << "run by ctest, or name what msk_signer.py wrote";
    std::ifstream in(file);
    int cases = 0;
    for (std::string line; std::getline(in, line); ++cases) {
        std::vector<std::string> parts;
        std::istringstream fields(line);
        for (std::string part; std::getline(fields, part, '\t');) parts.push_back(part);
        ASSERT_EQ(parts.size(), 7u);
        const Instant now{std::stoll(parts[4]) * 1'000'000 + 999'999};
        const auto token =
            aws::make_msk_token({parts[0], parts[1], parts[2]}, parts[3], now, parts[5]);
        EXPECT_EQ(token.value, parts[6]);
        EXPECT_EQ(token.expires.us, (std::stoll(parts[4]) + 900) * 1'000'000);
    }
    EXPECT_EQ(cases, 40);
}

} // namespace
} // namespace urr
