#include "apps/urr/doctor_words.hpp"

#include <gtest/gtest.h>

#include "apps/urr/settings.hpp"
#include "libs/core/must.hpp"

namespace urr::app {
namespace {

constexpr Mend mend{"URR_ADDRESS", "URR_SECRET", "URR_CA"};

// What libraries and servers say, each with the setting that is to be mended.
TEST(DoctorWords, name_what_is_wrong_and_what_to_mend) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"WRONGPASS invalid username-password pair or user is disabled.", "does not let us in"},
        {R"(FATAL: password authentication failed for user "ticket")", "does not let us in"},
        {"UnrecognizedClientException: The security token is invalid.", "does not let us in"},
        {"SASL authentication error: Authentication failed", "mend URR_SECRET"},
        {"TLS: self-signed certificate in certificate chain", "certificate does not verify"},
        {"SSL error: certificate verify failed", "URR_CA must have the authority"},
        {"TLS: IP address mismatch", "the address must be a name in it"},
        {"it is not the primary", "nobody there takes writes"},
        {"connection to server failed: session is read-only", "nobody there takes writes"},
        {"connect: Connection refused", "not reached"},
        {"connection to server failed: timeout expired", "is URR_ADDRESS right?"},
    };
    for (const auto& [said, wanted] : cases) {
        const std::string text = in_plain_words(said, mend);
        EXPECT_NE(text.find(wanted), text.npos) << text;
        EXPECT_NE(text.find(said), text.npos) << "the words themselves stay: " << text;
    }
    EXPECT_EQ(in_plain_words("schema 1, this program needs 2", mend),
              "schema 1, this program needs 2");
}

TEST(DoctorWords, hold_no_secret) {
    std::string variables[] = {"URR_REDIS_PASSWORD=hush",
                               "URR_QUEUE_DATABASE_URL=postgresql://queue:sesame@db/queue_db"};
    char* environment[] = {variables[0].data(), variables[1].data(), nullptr};
    const Settings settings = must(read_settings(environment));
    EXPECT_EQ(without_secrets("AUTH default hush, then sesame at db", settings),
              "AUTH default (secret), then (secret) at db");
    EXPECT_EQ(without_secrets("postgresql://queue:sesame@db/queue_db", settings), "(secret)");
}

// What stands in a URL by percent signs is said as it stands there, or decoded.
TEST(DoctorWords, hold_no_secret_in_any_form) {
    std::string variables[] = {
        "URR_AUTH_DATABASE_URL=postgresql://auth:open%20%20s%40same%2f1@db/auth_db",
        "URR_TICKET_DATABASE_URL=postgresql://ticket@db/ticket_db?password=in%2Dquery",
        "URR_QUEUE_DATABASE_URL=host=db user=queue password='in words' dbname=queue_db",
        "URR_VWR_DATABASE_URL=postgresql://vwr:s%40same%2f1-longer@db/vwr_db",
        "URR_EVENTS_DATABASE_URL=postgresql://events:50%zz%4@db/events_db",
        "URR_KAFKA_PASSWORD=in  line"};
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    const Settings settings = must(read_settings(environment.data()));
    for (const std::string_view said :
         {"open%20%20s%40same%2f1", "open  s@same/1", "open s@same/1", "in%2Dquery", "in-query",
          "in words", "s%40same%2f1-longer", "s@same/1-longer", "50%zz%4", "in  line", "in line"})
        EXPECT_EQ(without_secrets("it said <" + std::string(said) + ">", settings),
                  "it said <(secret)>");
}

} // namespace
} // namespace urr::app
