// What the code reads and writes, by its `describe`, is what the contracts say.
#include <set>

#include "libs/contract/event_facts.hpp"
#include "libs/contract/events.hpp"
#include "libs/contract/evidence/record.hpp"
#include "libs/contract/queue_events.hpp"
#include "libs/core/json_schema.hpp"
#include "services/auth/http/bodies.hpp"
#include "services/ticket/http/admin_bodies.hpp"
#include "services/ticket/http/bodies.hpp"
#include "tests/contract/contract.hpp"

namespace urr {
namespace {

// A body that comes in must be described to the letter; of one that goes out the contract may say
// more (an enum, a least value) or leave the pattern out.
enum class Way : std::uint8_t { in, out };

class Comparison {
public:
    Comparison(const JsonValue& document, Way way) : document_(document), way_(way) {}

    void compare(const std::string& where, const JsonValue& code, const JsonValue& written) {
        const JsonValue& schema = resolved(written);
        compare_types(where, code, schema);
        for (const char* name :
             {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "format"})
            compare_member(where, name, code, schema);
        if (way_ == Way::in && code.find("pattern") && !schema.find("pattern"))
            fault(where, "lacks the pattern of texts");
        if (code.find("enum")) compare_names(where + " enum", texts(code, "enum"), schema, "enum");
        if (const JsonValue* items = code.find("items")) {
            if (!schema.find("items")) return fault(where, "has no items");
            compare(where + "/*", *items, *schema.find("items"));
        }
        if (code.find("properties")) compare_objects(where, code, schema);
    }
    const std::vector<std::string>& faults() const { return faults_; }

private:
    // Follows $ref, and of {oneOf: [X, null]} takes X. The schema is one of the document's.
    const JsonValue& resolved(const JsonValue& schema) const { return *resolved(&schema); }
    const JsonValue* resolved(const JsonValue* schema) const {
        if (const JsonValue* reference = schema->find("$ref")) {
            const std::string name = reference->text.substr(reference->text.rfind('/') + 1);
            const JsonValue* found = at(document_, {"components", "schemas", name});
            return found ? resolved(found) : schema;
        }
        if (const JsonValue* some = schema->find("oneOf"))
            if (some->items.size() == 2 && some->items[1].text_of("type") == "null")
                return resolved(&some->items[0]);
        return schema;
    }
    static std::set<std::string> texts(const JsonValue& from, std::string_view name) {
        std::set<std::string> all;
        const JsonValue* list = from.find(name);
        if (list && list->kind == JsonValue::Kind::text) all.insert(list->text);
        if (list)
            for (const JsonValue& item : list->items)
                if (item.kind == JsonValue::Kind::text) all.insert(item.text);
        return all;
    }
    void compare_types(const std::string& where, const JsonValue& code, const JsonValue& schema) {
        auto mine = texts(code, "type"), other = texts(schema, "type");
        mine.erase("null");
        other.erase("null");
        if (mine != other) fault(where, "is of another type");
    }
    void compare_member(const std::string& where, const char* name, const JsonValue& code,
                        const JsonValue& schema) {
        const JsonValue *mine = code.find(name), *other = schema.find(name);
        if (way_ == Way::out && !mine) return;
        const bool same = mine && other
                              ? mine->integer == other->integer && mine->text == other->text
                              : !mine && !other;
        if (!same) fault(where, std::string("has another ") + name);
    }
    void compare_names(const std::string& where, const std::set<std::string>& mine,
                       const JsonValue& schema, std::string_view list) {
        const auto other = texts(schema, list);
        for (const std::string& name : mine)
            if (!other.contains(name)) fault(where, "lacks " + name);
        for (const std::string& name : other)
            if (!mine.contains(name)) fault(where, "has " + name + " besides");
    }
    void compare_objects(const std::string& where, const JsonValue& code, const JsonValue& schema) {
        if (!schema.find("properties")) return fault(where, "has no properties");
        compare_names(where + " required", texts(code, "required"), schema, "required");
        const JsonValue &mine = *code.find("properties"), &other = *schema.find("properties");
        for (const std::string& name : other.names)
            if (!mine.find(name)) fault(where, "has " + name + ", which the code has not");
        for (std::size_t i = 0; i < mine.names.size(); ++i) {
            const JsonValue* member = other.find(mine.names[i]);
            if (!member)
                fault(where, "lacks " + mine.names[i]);
            else
                compare(where + "/" + mine.names[i], mine.items[i], *member);
        }
        if (!code.find("additionalProperties") != !schema.find("additionalProperties"))
            fault(where, "is open for the one and closed for the other");
    }
    void fault(const std::string& where, const std::string& what) {
        faults_.push_back(where + " " + what);
    }

    const JsonValue& document_;
    const Way way_;
    std::vector<std::string> faults_;
};

template <class T>
void expect_same(const char* document, const std::string& name, Way way) {
    const JsonValue* schema = at(contract(document), {"components", "schemas", name});
    ASSERT_TRUE(schema) << name;
    Comparison comparison(contract(document), way);
    comparison.compare(name, must(parse_json(json_schema<T>())), *schema);
    for (const std::string& fault : comparison.faults()) ADD_FAILURE() << fault;
}

TEST(Schemas, of_bodies_that_come_in_are_those_of_the_contract) {
    expect_same<ticket::ReserveBody>("openapi", "CreateReservation", Way::in);
    expect_same<ticket::BestBody>("openapi", "BestSeats", Way::in);
    expect_same<ticket::CreateEventBody>("openapi", "CreateEvent", Way::in);
    expect_same<ticket::ChangeEventBody>("openapi", "ChangeEvent", Way::in);
    expect_same<ticket::Layout>("openapi", "Layout", Way::in);
    expect_same<ticket::BeginBody>("openapi", "BeginPayment", Way::in);
    expect_same<auth::RegisterBody>("openapi", "Register", Way::in);
    expect_same<auth::LoginBody>("openapi", "Login", Way::in);
    expect_same<auth::TokenBody>("openapi", "MailedCode", Way::in);
    expect_same<auth::EmailBody>("openapi", "MailAddress", Way::in);
    expect_same<auth::ResetBody>("openapi", "ResetPassword", Way::in);
    expect_same<auth::ChangePasswordBody>("openapi", "ChangePassword", Way::in);
    expect_same<auth::ProfileBody>("openapi", "Profile", Way::in);
    expect_same<auth::RoleBody>("openapi", "GiveRole", Way::in);
    expect_same<auth::BatchBody>("openapi", "UserIds", Way::in);
    expect_same<auth::RegisterBody>("openapi", "Register", Way::in);
    expect_same<auth::LoginBody>("openapi", "Login", Way::in);
    expect_same<auth::TokenBody>("openapi", "MailedCode", Way::in);
    expect_same<auth::EmailBody>("openapi", "MailAddress", Way::in);
    expect_same<auth::ResetBody>("openapi", "ResetPassword", Way::in);
    expect_same<auth::ChangePasswordBody>("openapi", "ChangePassword", Way::in);
    expect_same<auth::ProfileBody>("openapi", "Profile", Way::in);
    expect_same<auth::RoleBody>("openapi", "GiveRole", Way::in);
    expect_same<auth::BatchBody>("openapi", "UserIds", Way::in);
}

TEST(Schemas, of_bodies_that_go_out_are_those_of_the_contract) {
    expect_same<ticket::ReservationBody>("openapi", "Reservation", Way::out);
    expect_same<ticket::TicketBody>("openapi", "Ticket", Way::out);
    expect_same<ticket::EventBody>("openapi", "AdminEvent", Way::out);
    expect_same<ticket::AuditBody>("openapi", "AuditLine", Way::out);
    expect_same<ticket::OrderBody>("openapi", "Order", Way::out);
    expect_same<BegunPayment>("openapi", "BegunPayment", Way::out);
    expect_same<EventsTold>("openapi", "EventsTold", Way::out);
    expect_same<auth::UserBody>("openapi", "User", Way::out);
    expect_same<auth::UsersBody>("openapi", "UserList", Way::out);
    expect_same<auth::SignedInBody>("openapi", "SignedIn", Way::out);
    expect_same<auth::SessionsBody>("openapi", "SessionList", Way::out);
    expect_same<auth::UserBody>("openapi", "User", Way::out);
    expect_same<auth::UsersBody>("openapi", "UserList", Way::out);
    expect_same<auth::SignedInBody>("openapi", "SignedIn", Way::out);
    expect_same<auth::SessionsBody>("openapi", "SessionList", Way::out);
}

template <class... Events>
std::set<std::string> expect_events() {
    (expect_same<Events>("asyncapi", std::string(Events::type), Way::in), ...);
    return {std::string(Events::type)...};
}

TEST(Schemas, of_events_are_those_of_the_contract_and_none_is_forgotten) {
    auto known =
        expect_events<PaymentRequested, PaymentWithdrawn, RefundRequested, ReservationConfirmed,
                      PaymentCaptured, PaymentFailed, PaymentRefunded, EntryAdmitted, EntryEnded,
                      EntryReturned, LeversPulled, HallBegun, GenerationBegun>();
    expect_same<EvidenceHeader>("asyncapi", "EvidenceHeader", Way::in);
    expect_same<EvidenceRecord>("asyncapi", "EvidenceRecord", Way::in);
    known.insert("EvidenceBatch"); // lines of both
    const JsonValue& messages = *at(contract("asyncapi"), {"components", "messages"});
    EXPECT_EQ(std::set<std::string>(messages.names.begin(), messages.names.end()), known);
}

TEST(Schemas, that_differ_are_found) {
    const JsonValue document = must(parse_json(R"({"components":{"schemas":{}}})"));
    const JsonValue code = must(parse_json(json_schema<ticket::BestBody>()));
    const auto faults = [&](const char* written) {
        Comparison comparison(document, Way::in);
        comparison.compare("x", code, must(parse_json(written)));
        return comparison.faults().size();
    };
    const std::string count = R"("count":{"type":"integer","format":"int64","minimum":1,)";
    const std::string grade = R"("grade":{"type":["string","null"],"minLength":1,"maxLength":20,)"
                              R"("pattern":"^a$"})";
    const auto object = [&](const std::string& maximum, const std::string& rest) {
        return R"({"type":"object","required":["count"],"properties":{)" + count + R"("maximum":)" +
               maximum + "}," + grade + rest;
    };
    EXPECT_EQ(faults(object("10", R"(},"additionalProperties":false})").c_str()), 0u);
    EXPECT_EQ(faults(object("11", R"(},"additionalProperties":false})").c_str()), 1u);
    EXPECT_EQ(faults(object("10", R"(}})").c_str()), 1u);
    EXPECT_EQ(faults(object("10", R"(,"more":{}},"additionalProperties":false})").c_str()), 1u);
    EXPECT_GT(faults(R"({"type":"object","properties":{}})"), 2u);
}

} // namespace
} // namespace urr
